"""The folds of audio, images and transcripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...chunks import AudioDelta, ImageDelta, TranscriptDelta
from ...json_values import Json
from ...records import Audio, Image, Transcript
from . import skeletons
from .answer import Answer, AudioState, ImageSeriesState, ImageState, ListState, SpokenState, TranscriptState
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
    """Append to the transcript; the final text replaces the text so far. A turn is replaced, once ended by an end alone."""
    if answer.transcript is None:
        answer.transcript = TranscriptState()
    state = answer.transcript
    state.fields = _described(answer, state.fields, delta.fields)
    if delta.turn is None:
        _say(answer, state, delta, replaces=delta.final)
        return
    turn = state.turns.setdefault(delta.turn, SpokenState())
    if delta.final or not turn.final:
        _say(answer, turn, delta, replaces=True)


def _say(answer: Answer, state: SpokenState, delta: TranscriptDelta, *, replaces: bool) -> None:
    state.final = state.final or delta.final
    if delta.text is not None if replaces else delta.text:
        if state.text is None:
            state.text = Text(answer.retention)
        (state.text.replace if replaces else state.text.append)(delta.text or "")
    for name, items in (delta.lists or {}).items():
        known = state.lists.setdefault(name, ListState())
        if replaces:
            known.items = answer.retention.swap(known.items, None)
        known.items = answer.retention.extend(known.items, list(items))


def transcribed(answer: Answer) -> bool:
    """Whether the transcript is final: as a whole, or in each of its turns."""
    state = answer.transcript
    if state is None:
        return False
    return state.final or (bool(state.turns) and all(turn.final for turn in state.turns.values()))


def transcript(answer: Answer) -> Transcript:
    """The transcript. Without text of its own, its text is that of its turns that have ended, or of its segments."""
    state = answer.transcript or TranscriptState()
    turns = [turn for _, turn in sorted(state.turns.items(), key=lambda item: item[0])]
    ended = [turn for turn in turns if turn.final]
    segments = _objects(_listed("segments", [state, *turns]))
    spoken = "".join(str(segment.get("text", "")) for segment in segments).strip()
    said = [turn.text.value().strip() for turn in ended if turn.text is not None]
    text = " ".join(filter(None, said)) if turns else spoken
    return Transcript(
        text=text if state.text is None else state.text.value(),
        segments=tuple(segments),
        words=tuple(_objects(_listed("words", [state, *ended]))),
        logprobs=tuple(_listed("logprobs", [state, *ended])),
        **{name: value for name, value in (state.fields or {}).items() if name in ("language", "duration")},
    )


def _listed(name: str, states: list[SpokenState]) -> list[Json]:
    return [item for state in states if name in state.lists for item in state.lists[name].items or ()]


def _objects(items: list[Json]) -> list[dict[str, Any]]:
    return [dict(item) for item in items if isinstance(item, Mapping)]


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
