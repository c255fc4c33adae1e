"""Matches model names to models of the catalog: exact names first, then known spellings; the rule used is recorded.

Only whole names match, never prefixes or substrings, because those would give a small model the price of a large one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from .rates import geography


class Match(NamedTuple):
    """A model of the catalog, and the rules that matched it, such as "exact", "alias" or "wrapper + date".

    `region` is the region that the name states, as a Bedrock inference profile does, or None.
    """

    provider: str
    model: str
    rule: str
    region: str | None = None


def _wrapper(name: str, providers: frozenset[str]) -> Iterator[str]:
    """The name without the prefix of a gateway or SDK: `openai/…`, `models/…`, `publishers/…/models/…`, a Bedrock ARN."""
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
"""Regions whose prices always differ from those of the plain name: without a row of their own their price is unknown."""

_BEDROCK = re.compile(r"(?:[a-z-]+\.)?[a-z0-9]+\.[a-z]")
_CLAUDE_DOT = re.compile(r"(?<=\d)\.(?=\d(?!\d))")
_CLAUDE_DASH = re.compile(r"(?<=[a-z-]\d)-(?=\d(?!\d))")
_BUILD = re.compile(r":20\d\d-?\d\d-?\d\d-v\d+$")
"""The suffix that OpenAI's completions API adds to the model name, as in `gpt-3.5-turbo-instruct:20230824-v2`."""

_DATE = re.compile(r"[-@](20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$")


def _region(name: str, _: frozenset[str]) -> Iterator[str]:
    """The name without the geography of a Bedrock inference profile, `eu.…`, or of an Azure data zone, `eu/…`."""
    if (found := _REGION.match(name)) and "/" not in name[: found.start(1)]:
        yield name[found.end() :]


def region_of(name: str) -> str | None:
    """The region that a model's name states, or None.

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
    """The name with a full, shortened or removed Bedrock version (`-v1:0`), and without Vertex's `@default`."""
    if _BEDROCK.match(name):
        if re.search(r"-v\d+$", name):
            yield f"{name}:0"
        yield re.sub(r":\d+$", "", name)
        yield re.sub(r"-v\d+(?::\d+)?$", "", name)
    yield name.removesuffix("@default")


def _fine_tune(name: str, _: frozenset[str]) -> Iterator[str]:
    """The price name of a fine-tuned model: `ft:base:organisation:name:id` is priced as `ft:base`, never as `base`."""
    if name.startswith("ft:"):
        yield ":".join(name.split(":")[:2])


def _claude(name: str, _: frozenset[str]) -> Iterator[str]:
    """The name of a Claude model with its version written with a dash and with a dot."""
    if "claude" in name:
        yield _CLAUDE_DOT.sub("-", name)
        yield _CLAUDE_DASH.sub(".", name)


def _date(name: str, _: frozenset[str]) -> Iterator[str]:
    """The name with the date of a snapshot in its other spellings."""
    if found := _DATE.search(name):
        base, (year, month, day) = name[: found.start()], found.groups()
        yield f"{base}-{year}-{month}-{day}"
        yield f"{base}-{year}{month}{day}"


def _inferred(name: str, _: frozenset[str]) -> Iterator[str]:
    """The name without the date of a snapshot: an unknown snapshot has the price of the undated model."""
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
"""The rewriting rules, in the order in which they are applied; they combine."""


def spellings(name: str, providers: frozenset[str] = frozenset()) -> dict[str, str]:
    """Every spelling of `name` to look up, mapped to the rules that produced it; fewest rules first.

    Args:
        name: a model's name in a request or response.
        providers: the names that count as a provider before a slash.

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
    """The names of a catalog's providers and models; the names of a provider's models are indexed on first use.

    `makers` has, by provider, the patterns of the names of the models that it makes itself (`makes` in the catalog).
    """

    providers: Mapping[str, Mapping[str, Any]]
    aliases: dict[str, str] = field(init=False)
    known: frozenset[str] = field(init=False)
    makers: dict[str, list[str]] = field(init=False)
    _names: dict[str, dict[str, tuple[str, str]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.aliases = {
            alias.casefold(): provider
            for provider, entry in self.providers.items()
            for alias in (*entry.get("aliases", ()), provider)
        }
        self.known = frozenset(self.aliases)
        self.makers = {name: entry["makes"]["models"] for name, entry in self.providers.items() if "makes" in entry}

    def provider(self, name: str | None) -> str | None:
        """The catalog's name of a provider, or None if it is unknown."""
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
        """The model that `model` names at `provider`, or None.

        With a known provider, its models are searched, then those of the providers that it resells. A name that begins with a
        provider names it, unless that is a maker: then it may as well be an organisation's name at any host. Without a provider
        the model is that of its first party, if exactly one provider makes a model of this name.
        """
        forms, region = spellings(model, self.known), region_of(model)
        home = self.provider(provider) or self._host_in(model)
        if home is None:
            return self._made(forms, region)
        own = self._first_match(forms, (home,), region)
        resold = (
            None if own is not None else self._first_match(forms, self.providers[home].get("fallbacks", ()), region, made=True)
        )
        return own if resold is None else resold._replace(rule=f"resold: {resold.rule}")

    def _host_in(self, model: str) -> str | None:
        """The provider before the first slash of a model's name; None if it is a maker of models, or unknown."""
        owner = self.provider(model.partition("/")[0]) if "/" in model else None
        return None if owner in self.makers else owner

    def _made(self, forms: Mapping[str, str], region: str | None) -> Match | None:
        """The model of the only first party that has it; None if there are none or several."""
        for text, rules in forms.items():
            found = [self._first_match({text: rules}, (maker,), region, made=True) for maker in self.makers]
            makers = [match for match in found if match is not None]
            if makers:
                return makers[0]._replace(rule=f"first party: {makers[0].rule}") if len(makers) == 1 else None
        return None

    def _first_match(
        self, forms: Mapping[str, str], providers: Sequence[str], region: str | None, *, made: bool = False
    ) -> Match | None:
        """The first of these names that one of the providers has; with `made`, only of models that a maker makes itself."""
        for text, rules in forms.items():
            for provider in providers:
                found = self.names(provider).get(text)
                if found is None or (made and not self._makes(provider, found[0])):
                    continue
                if region_of(text) == region or self._has_region_rates(region, provider, found[0]):
                    model, how = found
                    rule = rules if how == "exact" and rules else f"{rules} + {how}".lstrip(" +")
                    return Match(provider, model, rule, region)
        return None

    def _makes(self, provider: str, model: str) -> bool:
        """Whether a provider makes a model itself; one that states nothing of what it makes is taken at its word."""
        patterns = self.makers.get(provider)
        return patterns is None or any(fnmatchcase(model.casefold(), pattern) for pattern in patterns)

    def _has_region_rates(self, region: str | None, provider: str, model: str) -> bool:
        """Whether the entry of the plain name covers a region: it has rows for it, or the region needs none."""
        place = None if region is None else geography(region)
        rows = self.providers[provider]["models"][model]["rows"]
        return place not in _OWN_PRICES or any(place in _as_list(row.get("when", {}).get("region")) for row in rows)


def _as_list(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]
