"""Which model of the catalog a name means: exact names first, then known ways of writing them, each recorded.

A name is only ever looked up whole. Nothing matches by prefix or by containment, for that is how a small model gets the
price of a large one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

FIRST_PARTIES = (
    "openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "cohere", "moonshotai", "minimax", "zai",
    "perplexity", "voyageai", "elevenlabs", "meta",
)  # fmt: skip
"""The makers of models, in the order in which they are asked when the provider is not known."""


@dataclass(frozen=True, slots=True)
class Match:
    """A model of the catalog, and the rules that led to it, such as "exact", "alias" or "wrapper + date"."""

    provider: str
    model: str
    rule: str


def _wrapper(name: str, providers: frozenset[str]) -> Iterator[str]:
    """What gateways and SDKs put in front: `openai/…`, `models/…`, `publishers/…/models/…`, a Bedrock ARN."""
    if name.startswith("arn:"):
        yield name.rpartition("/")[2]
    elif "publishers/" in name or name.startswith("models/"):
        yield name.rpartition("models/")[2]
    else:
        head, _, rest = name.partition("/")
        if rest and head in providers:
            yield rest


_REGION = re.compile(r"(?:us|eu|apac|jp|au|in|ca|sa)\.(?=[a-z0-9]+\.)")
_BEDROCK = re.compile(r"(?:[a-z-]+\.)?[a-z0-9]+\.[a-z]")
_CLAUDE_DOT = re.compile(r"(?<=\d)\.(?=\d(?!\d))")
_CLAUDE_DASH = re.compile(r"(?<=[a-z-]\d)-(?=\d(?!\d))")
_DATE = re.compile(r"[-@](20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$")


def _region(name: str, _: frozenset[str]) -> Iterator[str]:
    """A Bedrock inference profile's geography. `global.` and `us-gov.` stay: they have prices of their own."""
    if found := _REGION.match(name):
        yield name[found.end() :]


def _version(name: str, _: frozenset[str]) -> Iterator[str]:
    """A Bedrock model's version, `-v1:0`, and Vertex's `@default`."""
    if _BEDROCK.match(name):
        yield re.sub(r":\d+$", "", name)
        yield re.sub(r"-v\d+(?::\d+)?$", "", name)
    yield name.removesuffix("@default")


def _fine_tune(name: str, _: frozenset[str]) -> Iterator[str]:
    """`ft:base:organisation:name:id` has the price of `ft:base`, never that of `base`."""
    if name.startswith("ft:"):
        yield ":".join(name.split(":")[:2])


def _claude(name: str, _: frozenset[str]) -> Iterator[str]:
    """Claude versions are written with a dot and with a dash."""
    if "claude" in name:
        yield _CLAUDE_DOT.sub("-", name)
        yield _CLAUDE_DASH.sub(".", name)


def _date(name: str, _: frozenset[str]) -> Iterator[str]:
    """The date of a snapshot: in its other spellings, then without it."""
    if found := _DATE.search(name):
        base, (year, month, day) = name[: found.start()], found.groups()
        yield f"{base}-{year}-{month}-{day}"
        yield f"{base}-{year}{month}{day}"
        yield base


Rewrite = Callable[[str, frozenset[str]], Iterator[str]]

RULES: tuple[tuple[str, Rewrite], ...] = (
    ("wrapper", _wrapper),
    ("region", _region),
    ("version", _version),
    ("fine-tune", _fine_tune),
    ("claude", _claude),
    ("date", _date),
)
"""The ways of rewriting a name, in the order in which they are applied; they combine."""


def spellings(name: str, providers: frozenset[str] = frozenset()) -> dict[str, str]:
    """Every way of writing `name` that is tried, with the rules that made it; fewest rewritings first.

    Args:
        name: a model's name as a request or response gives it.
        providers: the names that count as a provider in front of a slash.

    Example:
        >>> spellings("claude-sonnet-4.5-20250929")["claude-sonnet-4-5"]
        'claude + date'
    """
    forms: list[tuple[tuple[str, ...], str]] = [((), name.strip().casefold())]
    for rule, rewrite in RULES:
        forms += [((*done, rule), text) for done, form in list(forms) for text in rewrite(form, providers)]
    forms.sort(key=lambda form: len(form[0]))
    found: dict[str, str] = {}
    for done, text in forms:
        found.setdefault(text, " + ".join(done))
    return found


@dataclass(slots=True)
class Directory:
    """The names of a catalog's providers and models, indexed as they are asked for."""

    providers: Mapping[str, Mapping[str, Any]]
    aliases: dict[str, str] = field(init=False)
    known: frozenset[str] = field(init=False)
    _names: dict[str, dict[str, tuple[str, str]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.aliases = {
            alias.casefold(): provider
            for provider, entry in self.providers.items()
            for alias in (*entry.get("aliases", ()), provider)
        }
        self.known = frozenset(self.aliases)

    def provider(self, name: str | None) -> str | None:
        """The catalog's own name of a provider, or None where it has none."""
        return self.aliases.get(name.strip().casefold()) if name else None

    def names(self, provider: str) -> dict[str, tuple[str, str]]:
        """Every name of a provider's models, case-folded, with the model and the rule ("exact" or "alias")."""
        names = self._names.get(provider)
        if names is None:
            models: Mapping[str, Mapping[str, Any]] = self.providers[provider]["models"]
            names = {alias.casefold(): (model, "alias") for model, entry in models.items() for alias in entry.get("aliases", ())}
            names |= {model.casefold(): (model, "exact") for model in models}
            self._names[provider] = names
        return names

    def find(self, model: str, provider: str | None) -> Match | None:
        """The model that `model` means at `provider`, or None.

        A known provider is asked, then those whose models it resells. Without one the provider written in front of the
        name is asked, then the first parties.
        """
        forms = spellings(model, self.known)
        home = self.provider(provider)
        if home is not None:
            fallbacks = self.providers[home].get("fallbacks", ())
            return self._among(forms, (home,), "") or self._among(forms, fallbacks, "resold: ")
        owner = self.provider(model.partition("/")[0]) if "/" in model else None
        named = self._among(forms, (owner,), "") if owner is not None else None
        return named or self._among(forms, tuple(p for p in FIRST_PARTIES if p in self.providers), "first party: ")

    def _among(self, forms: Mapping[str, str], providers: tuple[str, ...], note: str) -> Match | None:
        for text, rules in forms.items():
            for provider in providers:
                if (found := self.names(provider).get(text)) is not None:
                    model, how = found
                    return Match(provider, model, note + (rules if how == "exact" and rules else f"{rules} + {how}".lstrip(" +")))
        return None
