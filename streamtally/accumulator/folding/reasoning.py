"""The fold of structured reasoning (`reasoning_details`, OpenRouter's form): one entry for each index and type.

An entry's text, summary and data grow; of every other field the last value that is not null stays. Without an index an entry is
named by its place in the list, and one with another signature than the entry at its place goes to the next place that is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...json_values import Json
from .answer import Answer, ChoiceState, DetailsState, DetailState
from .digest import digest_of
from .growing import Text

_GROWING = ("text", "summary", "data")


def fold_reasoning_details(answer: Answer, choice: ChoiceState, details: Json) -> None:
    """Fold a list of entries."""
    if not answer.retention.keep:
        return
    if choice.details is None:
        choice.details = DetailsState()
    known = choice.details
    for position, detail in enumerate(details):
        if isinstance(detail, Mapping):
            entry = known.entries.setdefault(_key(known, detail, position), DetailState())
            _fold_detail(answer, entry, detail)


def _fold_detail(answer: Answer, entry: DetailState, detail: Mapping[str, Json]) -> None:
    fields = dict(entry.fields or {})
    for name, item in detail.items():
        if name in _GROWING and isinstance(item, str):
            text: Text | None = getattr(entry, name)
            if text is None:
                text = Text(answer.retention)
                setattr(entry, name, text)
            text.append(item)
            fields.setdefault(name, "")
        elif item is not None:
            fields[name] = item
    entry.fields = answer.retention.swap(entry.fields, fields)


def _key(known: DetailsState, detail: Mapping[str, Json], position: int) -> str:
    """What names the entry that a detail belongs to: its place and its type."""
    index = detail.get("index")
    if type(index) is int:
        return f"{index}/{detail.get('type')}"
    place = _place_of_signature(known, detail, position) if detail.get("signature") else position
    return f"{place}/{detail.get('type')}"


def _place_of_signature(known: DetailsState, detail: Mapping[str, Json], position: int) -> int:
    """The first place from `position` on whose entry has this signature, or none. Indexed, so that it is not quadratic."""
    kind, signature = str(detail.get("type")), detail["signature"]
    signed = (kind, digest_of(signature))
    place = known.signed.get(signed)
    if place is None or place < position:
        place = known.signed_up_to.get((kind, position), position)
        while (entry := known.entries.get(f"{place}/{kind}")) is not None:
            if (entry.fields or {}).get("signature") in (None, signature):
                break
            place += 1
        known.signed[signed] = known.signed_up_to[kind, position] = place
    return place


def reasoning_details(choice: ChoiceState) -> tuple[dict[str, Any], ...]:
    """The entries in order of place."""
    entries = {} if choice.details is None else choice.details.entries
    ordered = sorted(entries.items(), key=lambda entry: int(entry[0].split("/")[0]))
    return tuple(_detail(entry) for _, entry in ordered)


def _detail(entry: DetailState) -> dict[str, Any]:
    texts = {name: text for name in _GROWING if (text := getattr(entry, name)) is not None}
    return {name: texts[name].value() if name in texts else value for name, value in (entry.fields or {}).items()}
