"""The folds of sound, images and transcripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import AudioDelta, ImageDelta, TranscriptDelta
from ..records import Audio, Image, Transcript
from .document import Document

DESCRIBING = frozenset(
    {"id", "mime_type", "size", "quality", "background", "output_format", "created_at", "language", "duration"}
)
"""Fields that describe a medium and hold none of its content."""


def fold_audio(document: Document, delta: AudioDelta) -> None:
    """Append sound, and the words that go with it."""
    if delta.data:
        document.append_bytes(delta.data, "audio")
    if delta.transcript:
        document.append_text(delta.transcript, "audio", "transcript")
    _update(document, "audio", delta.fields)


def audio(document: Document) -> Audio | None:
    """The sound so far, or None where there never was any."""
    fields = document.get("audio")
    size = document.data_size("audio")
    if fields is None and not size and not document.has_text("audio", "transcript"):
        return None
    return Audio(
        data=document.data("audio"),
        size=size,
        transcript=document.text("audio", "transcript"),
        **_named(fields, {"id", "mime_type"}),
    )


def fold_image(document: Document, delta: ImageDelta) -> None:
    """Put an image in its place: a later preview replaces an earlier one, a whole image replaces them all."""
    key = _key(delta.choice, _open_image(document, delta.choice) if delta.position is None else delta.position)
    at = ("image", key)
    document.note(key, "images")
    document.note(key, "images of", delta.choice)
    if delta.partial:
        document.values[(*at, "partials")] = (document.get(*at, "partials") or 0) + 1
    else:
        document.put(True, *at, "complete")
        document.note(key, "whole images")
    mark = document.forget if document.get(*at, "complete") else document.note
    mark(key, "open images", delta.choice)
    if delta.data and not (delta.partial and document.get(*at, "complete")):
        document.replace_data(delta.data, *at)
    _update(document, "image", delta.fields, key)


def _key(choice: int, position: int) -> int | str:
    """What names an image: its position, and with it the choice where that is not the first."""
    return f"{choice}/{position}" if choice else position


def _place(key: int | str) -> tuple[int, int]:
    """The choice and the position that a key names."""
    choice, _, position = str(key).rpartition("/")
    return int(choice or 0), int(position)


def _open_image(document: Document, choice: int) -> int:
    """The position of the choice's image that is not whole yet, else the next."""
    key = document.first("open images", choice)
    return document.count("images of", choice) if key is None else _place(key)[1]


def images(document: Document) -> tuple[Image, ...]:
    """The images so far, in order of index; those of further choices are numbered on."""
    found: list[Image] = []
    for key in sorted(document.members("images"), key=_place):
        choice, position = _place(key)
        found.append(_image(document, key, found[-1].index + 1 if choice and found else position))
    return tuple(found)


def _image(document: Document, key: int | str, index: int) -> Image:
    return Image(
        index=index,
        data=document.data("image", key),
        partials=document.get("image", key, "partials") or 0,
        complete=bool(document.get("image", key, "complete")),
        **_named(document.get("image", key), {"url", "mime_type", "revised_prompt"}),
    )


def images_complete(document: Document) -> int:
    """How many images are whole."""
    return document.count("whole images")


def fold_transcript(document: Document, delta: TranscriptDelta) -> None:
    """Add to what was heard; the final text is the authority."""
    if delta.final:
        document.put(True, "transcript", "final")
        if delta.text is not None:
            document.replace_text(delta.text, "transcript")
    elif delta.text:
        document.append_text(delta.text, "transcript")
    for name, items in (delta.lists or {}).items():
        if delta.final:
            document.values.pop(("transcript", name), None)
        document.push(list(items), "transcript", name)
    _update(document, "transcript", delta.fields)


def transcript(document: Document) -> Transcript:
    """What was heard. Where no text came but segments did, their texts make it."""
    segments = _objects(document, "segments")
    text = document.text("transcript")
    if text is None:
        text = "".join(str(segment.get("text", "")) for segment in segments).strip()
    return Transcript(
        text=text,
        segments=tuple(segments),
        words=tuple(_objects(document, "words")),
        logprobs=tuple(document.get("transcript", "logprobs") or ()),
        **{name: value for name, value in (document.get("transcript") or {}).items() if name in ("language", "duration")},
    )


def _objects(document: Document, name: str) -> list[dict[str, Any]]:
    return [dict(item) for item in document.get("transcript", name) or () if isinstance(item, Mapping)]


def transcript_final(document: Document) -> bool:
    """Whether the final text came."""
    return bool(document.get("transcript", "final"))


def _update(document: Document, name: str, fields: Any, *rest: int | str) -> None:
    if fields:
        known = document.values.setdefault((name, *rest), {})
        kept = fields if document.retain else {key: value for key, value in fields.items() if key in DESCRIBING}
        known.update({key: value for key, value in kept.items() if value is not None})


def _named(fields: dict[str, Any] | None, names: set[str]) -> dict[str, Any]:
    """Keyword arguments of a record: texts with a name of their own, and the rest as `extras`."""
    fields = fields or {}
    named = {name: fields[name] for name in names if isinstance(fields.get(name), str)}
    return {**named, "extras": {name: value for name, value in fields.items() if name not in named}}
