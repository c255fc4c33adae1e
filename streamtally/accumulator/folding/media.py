"""The folds of audio, images and transcripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...chunks import AudioDelta, ImageDelta, TranscriptDelta
from ...json_values import Json
from ...records import Audio, Image, Transcript
from . import skeletons
from .answer import Answer, AudioState, ImageSeriesState, ImageState, ListState, TranscriptState
from .growing import Data, Text


def fold_audio(answer: Answer, delta: AudioDelta) -> None:
    """Append audio, and its transcript."""
    if not (delta.data or delta.transcript or delta.fields):
        return
    if answer.audio is None:
        answer.audio = AudioState()
    audio = answer.audio
    if delta.data:
        if audio.data is None:
            audio.data = Data(answer.retention)
        audio.data.append(delta.data)
    if delta.transcript:
        if audio.transcript is None:
            audio.transcript = Text(answer.retention)
        audio.transcript.append(delta.transcript)
    audio.fields = _described(answer, audio.fields, delta.fields)


def audio(answer: Answer) -> Audio | None:
    """The audio so far, or None if there was none."""
    state = answer.audio
    if state is None:
        return None
    data = None if state.data is None else state.data.value()
    return Audio(
        data=data,
        size=len(data or b"") + (state.data.lost if state.data is not None else 0),
        transcript=None if state.transcript is None else state.transcript.value(),
        **_named(state.fields, {"id", "mime_type"}),
    )


def fold_image(answer: Answer, delta: ImageDelta) -> None:
    """Put an image in its place: a later preview replaces an earlier one, a complete image replaces them all."""
    series = answer.images.setdefault(delta.choice, ImageSeriesState())
    position = _open_position(series) if delta.position is None else delta.position
    image = series.images.setdefault(position, ImageState())
    if delta.partial:
        image.partials += 1
    elif not image.complete:
        image.complete = True
        answer.images_complete += 1
    if image.complete:
        series.open.pop(position, None)
    else:
        series.open[position] = None
    if delta.data and not (delta.partial and image.complete):
        if image.data is None:
            image.data = Data(answer.retention)
        image.data.replace(delta.data)
    image.fields = _described(answer, image.fields, delta.fields)


def _open_position(series: ImageSeriesState) -> int:
    """The position of the oldest image that is not complete yet, else the next."""
    return next(iter(series.open), len(series.images))


def images(answer: Answer) -> tuple[Image, ...]:
    """The images so far, in order of position; those of further choices are numbered on."""
    found: list[Image] = []
    for choice, series in sorted(answer.images.items(), key=lambda item: item[0]):
        for position, image in sorted(series.images.items(), key=lambda item: item[0]):
            found.append(_image(image, found[-1].index + 1 if choice and found else position))
    return tuple(found)


def _image(image: ImageState, index: int) -> Image:
    return Image(
        index=index,
        data=None if image.data is None else image.data.value(),
        partials=image.partials,
        complete=image.complete,
        **_named(image.fields, {"url", "mime_type", "revised_prompt"}),
    )


def first_image(answer: Answer) -> ImageState | None:
    """The image that came first."""
    return next((image for series in answer.images.values() for image in series.images.values()), None)


def fold_transcript(answer: Answer, delta: TranscriptDelta) -> None:
    """Append to the transcript; the final text replaces the text so far."""
    if answer.transcript is None:
        answer.transcript = TranscriptState()
    state = answer.transcript
    state.final = state.final or delta.final
    if delta.text if not delta.final else delta.text is not None:
        if state.text is None:
            state.text = Text(answer.retention)
        (state.text.replace if delta.final else state.text.append)(delta.text or "")
    for name, items in (delta.lists or {}).items():
        known = state.lists.setdefault(name, ListState())
        if delta.final:
            known.items = answer.retention.swap(known.items, None)
        known.items = answer.retention.extend(known.items, list(items))
    state.fields = _described(answer, state.fields, delta.fields)


def transcript(answer: Answer) -> Transcript:
    """The transcript. Without text of its own, the texts of its segments are its text."""
    state = answer.transcript or TranscriptState()
    lists = {name: known.items or [] for name, known in state.lists.items()}
    segments = _objects(lists.get("segments"))
    spoken = "".join(str(segment.get("text", "")) for segment in segments).strip()
    return Transcript(
        text=spoken if state.text is None else state.text.value(),
        segments=tuple(segments),
        words=tuple(_objects(lists.get("words"))),
        logprobs=tuple(lists.get("logprobs") or ()),
        **{name: value for name, value in (state.fields or {}).items() if name in ("language", "duration")},
    )


def _objects(items: list[Json] | None) -> list[dict[str, Any]]:
    return [dict(item) for item in items or () if isinstance(item, Mapping)]


def _described(answer: Answer, known: dict[str, Json] | None, fields: Mapping[str, Json] | None) -> dict[str, Json] | None:
    """The fields of a medium with further ones; where content is not kept, only those that describe it."""
    if not fields:
        return known
    kept = fields if answer.retention.keep else skeletons.of_medium(fields)
    more = {**(known or {}), **{name: value for name, value in kept.items() if value is not None}}
    described: dict[str, Json] = answer.retention.swap(known, more)
    return described


def _named(fields: dict[str, Any] | None, names: set[str]) -> dict[str, Any]:
    """Keyword arguments of a record: texts that have a field of their own, and the rest as `extras`."""
    fields = fields or {}
    named = {name: fields[name] for name in names if isinstance(fields.get(name), str)}
    return {**named, "extras": {name: value for name, value in fields.items() if name not in named}}
