"""Which model of the catalog a name means: exact names first, then known ways of writing them, each recorded.

A name is only ever looked up whole. Nothing matches by prefix or by containment, for that is how a small model gets the
price of a large one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .rates import geography

FIRST_PARTIES = (
    "openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "cohere", "moonshotai", "minimax", "zai",
    "perplexity", "voyageai", "elevenlabs", "meta",
)  # fmt: skip
"""The makers of models, in the order in which they are asked when the provider is not known."""


@dataclass(frozen=True, slots=True)
class Match:
    """A model of the catalog, and the rules that led to it, such as "exact", "alias" or "wrapper + date".

    `region` is the one that the name itself states, as a Bedrock inference profile does.
    """

    provider: str
    model: str
    rule: str
    region: str | None = None


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
            yield from _wrapper(rest, providers)


_REGION = re.compile(r"(?:.*/)?(us-gov|global|us|eu|apac|jp|au|in|ca|sa)[./](?=[a-z0-9])")
_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:([a-z0-9-]+):")
_OWN_PRICES = frozenset({"global", "us-gov"})
"""Regions whose prices differ from those of the plain name wherever they exist: without a row of their own, unknown."""

_BEDROCK = re.compile(r"(?:[a-z-]+\.)?[a-z0-9]+\.[a-z]")
_CLAUDE_DOT = re.compile(r"(?<=\d)\.(?=\d(?!\d))")
_CLAUDE_DASH = re.compile(r"(?<=[a-z-]\d)-(?=\d(?!\d))")
_BUILD = re.compile(r":20\d\d-?\d\d-?\d\d-v\d+$")
"""What OpenAI's completions put behind the name of the model that served, as in `gpt-3.5-turbo-instruct:20230824-v2`."""

_DATE = re.compile(r"[-@](20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$")


def _region(name: str, _: frozenset[str]) -> Iterator[str]:
    """A Bedrock inference profile's geography, `eu.…`, or an Azure data zone's, `eu/…`."""
    if (found := _REGION.match(name)) and "/" not in name[: found.start(1)]:
        yield name[found.end() :]


def region_of(name: str) -> str | None:
    """The region that a model's name states, as prices name it.

    >>> [region_of(name) for name in ("us.amazon.nova-lite-v1:0", "azure/eu/o4-mini", "us-gov.amazon.nova-lite-v1:0", "o4")]
    ['us', 'eu', 'us-gov', None]
    >>> region_of("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0")
    'eu-west-1'
    """
    text = name.strip().casefold()
    if found := _REGION.match(text):
        return found[1]
    return found[1] if (found := _ARN.match(text)) else None


def _version(name: str, _: frozenset[str]) -> Iterator[str]:
    """A Bedrock model's version, `-v1:0`, also with its end left out, and Vertex's `@default`."""
    if _BEDROCK.match(name):
        if re.search(r"-v\d+$", name):
            yield f"{name}:0"
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
    """The date of a snapshot in its other spellings."""
    if found := _DATE.search(name):
        base, (year, month, day) = name[: found.start()], found.groups()
        yield f"{base}-{year}-{month}-{day}"
        yield f"{base}-{year}{month}{day}"


def _inferred(name: str, _: frozenset[str]) -> Iterator[str]:
    """A snapshot that the catalog does not know by its date has the price of its name without the date."""
    if found := _BUILD.search(name):
        yield name[: found.start()]
    if found := _DATE.search(name):
        yield name[: found.start()]


Rewrite = Callable[[str, frozenset[str]], Iterator[str]]

RULES: tuple[tuple[str, Rewrite], ...] = (
    ("wrapper", _wrapper),
    ("region", _region),
    ("version", _version),
    ("fine-tune", _fine_tune),
    ("claude", _claude),
    ("date", _date),
    ("inferred", _inferred),
)
"""The ways of rewriting a name, in the order in which they are applied; they combine."""


def spellings(name: str, providers: frozenset[str] = frozenset()) -> dict[str, str]:
    """Every way of writing `name` that is tried, with the rules that made it; fewest rewritings first.

    Args:
        name: a model's name as a request or response gives it.
        providers: the names that count as a provider in front of a slash.

    Example:
        >>> spellings("claude-sonnet-4.5-20250929")["claude-sonnet-4-5"]
        'claude + inferred'
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
        forms, region = spellings(model, self.known), region_of(model)
        home = self.provider(provider)
        if home is not None:
            fallbacks = self.providers[home].get("fallbacks", ())
            return self._among(forms, (home,), "", region) or self._among(forms, fallbacks, "resold: ", region)
        owner = self.provider(model.partition("/")[0]) if "/" in model else None
        named = self._among(forms, (owner,), "", region) if owner is not None else None
        return named or self._among(forms, tuple(p for p in FIRST_PARTIES if p in self.providers), "first party: ", region)

    def _among(self, forms: Mapping[str, str], providers: tuple[str, ...], note: str, region: str | None) -> Match | None:
        for text, rules in forms.items():
            for provider in providers:
                found = self.names(provider).get(text)
                if found is not None and (region_of(text) == region or self._sold_in(region, provider, found[0])):
                    model, how = found
                    rule = rules if how == "exact" and rules else f"{rules} + {how}".lstrip(" +")
                    return Match(provider, model, note + rule, region)
        return None

    def _sold_in(self, region: str | None, provider: str, model: str) -> bool:
        """Whether the plain name's entry says what a region costs that never costs the same."""
        place = None if region is None else geography(region)
        rows = self.providers[provider]["models"][model]["rows"]
        return place not in _OWN_PRICES or any(place in _listed(row.get("when", {}).get("region")) for row in rows)


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]
