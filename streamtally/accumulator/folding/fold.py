"""One fold for all stream types: it sends each delta to the function that folds it, and merges what a chunk states of the stream.

The state is the `Answer` and nothing else. Folding is a pure function of the chunks and their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...chunks import (
    AudioDelta,
    Channel,
    Chunk,
    Delta,
    DetailDelta,
    FinishDelta,
    ImageDelta,
    ItemDelta,
    PartDelta,
    PayloadDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
    UsageDelta,
)
from ...dialects import Dialect
from ...errors import RETRYABLE_STATUS
from ...json_values import Json, stated
from ...records import StreamType
from ...usage_reports import merged_usage
from . import choices, fields, items, media, parts, several, skeletons, snapshots, usage
from .answer import Answer, ChoiceState
from .growing import Text

_FOLDS: Mapping[type, Callable[[Answer, Any], None]] = {
    TextDelta: choices.fold_text,
    ToolCallDelta: choices.fold_tool_call,
    FinishDelta: choices.fold_finish,
    DetailDelta: choices.fold_detail,
    ItemDelta: items.fold_item,
    PartDelta: parts.fold_part,
    AudioDelta: media.fold_audio,
    ImageDelta: media.fold_image,
    TranscriptDelta: media.fold_transcript,
    UsageDelta: usage.fold_usage,
    PayloadDelta: choices.fold_payload,
}
"""What folds each kind of delta."""

_FINISHED: Mapping[StreamType, Callable[[Answer], bool]] = {
    StreamType.TEXT: choices.finished,
    StreamType.CHAT: choices.finished,
    StreamType.RESPONSES: choices.finished,
    StreamType.SPEECH: lambda answer: answer.terminal,
    StreamType.TRANSCRIPTION: media.transcribed,
    StreamType.IMAGE: lambda answer: answer.images_complete >= (answer.images_wanted or 1),
}
"""When the provider has finished a stream of each type."""


class Fold:
    """Folds chunks, in the order in which `apply` gets them, into an answer.

    Attributes:
        answer: the state so far.
    """

    __slots__ = ("answer",)

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def apply(self, chunk: Chunk) -> None:
        """Fold one chunk. What it states of the stream comes first, so that no broken delta takes that along."""
        answer = self.answer
        answer.retention.close_sinks()
        if chunk.answer is not None:
            several.turn_to(answer, chunk.answer)
        elif several.begins_another(answer, chunk):
            several.begin_next(answer)
        if chunk.meta:
            answer.meta = {**(answer.meta or {}), **stated(chunk.meta)}
        if chunk.extras:
            answer.extras = {} if answer.extras is None else answer.extras
            answer.retention.merge(answer.extras, chunk.extras)
        if chunk.usage:
            answer.usage = merged_usage(answer.usage, chunk.usage)
            answer.usage_is_final = answer.usage_is_final or chunk.terminal
        if chunk.error:
            error = stated(chunk.error) if answer.retention.keep else skeletons.of_error(stated(chunk.error))
            answer.error = answer.retention.swap(answer.error, {**(answer.error or {}), **error})
        if chunk.terminal:
            answer.terminal = True
        for delta in chunk.deltas:
            _FOLDS[type(delta)](answer, delta)

    @property
    def terminal(self) -> bool:
        """Whether an end marker came."""
        return self.answer.terminal

    @property
    def error(self) -> Mapping[str, Json] | None:
        """The fields of the error that came inside the stream, if one did; its status decides whether to try again."""
        error = self.answer.error
        if error is None:
            return None
        status = error.get("status")
        retryable = {} if status is None else {"retryable": status in RETRYABLE_STATUS}
        return {"type": "provider_error", **retryable, **error}

    def finished(self, stream_type: StreamType) -> bool:
        """Whether the provider has finished, with every choice, image or item."""
        return _FINISHED[stream_type](self.answer)

    def text_writer(self, channel: Channel = "text", choice: int = 0) -> Callable[[str], object] | None:
        """The function that appends to a text that has begun already; None for one that has not.

        It is valid until the next chunk is folded by `apply`.
        """
        state = self.answer.choices.get(choice)
        return None if state is None or not snapshots.is_in_pieces(state, channel) else _sink(getattr(state, channel))

    def arguments_writer(self, index: int, choice: int = 0) -> Callable[[str], object] | None:
        """The same for the arguments of the tool call that is open under a provider's index."""
        state = self.answer.choices.get(choice)
        if state is None or state.tools is None:
            return None
        number = state.tools.by_position.get(index)
        return None if number is None or number != state.tools.last else _sink(state.tools.calls[number].arguments)

    def item_writer(self, position: int, *path: str | int) -> Callable[[str], object] | None:
        """The same for a text in the output item at a provider's position."""
        state = self.answer.items
        number = None if state is None else items.number_at(state, position)
        piece = None if state is None or number is None else state.items[number].pieces.get(path)
        return None if piece is None or piece.start is not None else _sink(piece.text)

    @property
    def answers(self) -> list[Answer]:
        """Each answer of the stream by itself: one, except for streams with several."""
        return list(several.answers(self.answer)) if self.answer.earlier else [self.answer]

    @property
    def is_empty(self) -> bool:
        """Whether no answer has begun."""
        answer = self.answer
        has_begun = (answer.meta or {}).get("response_id")
        return not (answer.earlier or answer.choices or answer.items or answer.audio or has_begun)

    def contents(self, dialect: Dialect, stream_type: StreamType) -> list[dict[str, Any]]:
        """The content fields of each answer."""
        return [_content(answer, dialect, stream_type) for answer in self.answers]

    def content(self, found: list[dict[str, Any]]) -> dict[str, Any]:
        """The content fields of the record, from those of each answer."""
        return {
            **(found[0] if len(found) == 1 else several.joined_content(found)),
            "extras": _extras(self.answer),
            "dropped_bytes": self.answer.retention.dropped,
        }


def _extras(answer: Answer) -> dict[str, Json]:
    """The fields without a name in the record, the payloads of unknown format, and the events of unknown types."""
    extras = dict(answer.extras or {})
    kept = (answer.payloads and answer.payloads.items) or ()
    if len(kept) > 1:
        extras["payloads"] = kept
    if events := {kind: known.items for kind, known in answer.events.items() if known.items}:
        fields = extras.get("events")
        extras["events"] = {**(fields if isinstance(fields, Mapping) else {}), **events}
    return extras


def _content(answer: Answer, dialect: Dialect, stream_type: StreamType) -> dict[str, Any]:
    """The content fields of one answer."""
    rules = dialect.items
    found = items.output_items(answer, rules) if rules else []
    spoken = _with_items(answer, rules.to_deltas(found)) if rules and found else answer
    return {
        "choices": choices.choices(
            spoken,
            dialect.finish_reasons,
            kept=answer.retention.keep or spoken is answer,
            waits=bool(rules and rules.waits(found)),
        ),
        "output_items": (*(map(rules.present, found) if rules else ()), *parts.parts(answer)),
        "audio": media.audio(answer),
        "images": media.images(answer),
        "transcript": media.transcript(answer) if stream_type is StreamType.TRANSCRIPTION else None,
    }


def _sink(text: Text | None) -> Callable[[str], object] | None:
    return None if text is None else text.sink()


def _with_items(answer: Answer, deltas: Iterable[Delta]) -> Answer:
    """The one choice that output items make, completed by what came of the choice beside them."""
    made = Answer()
    for delta in deltas:
        if isinstance(delta, TextDelta) and delta.whole is None:
            choices.fold_text(made, delta._replace(whole=False))  # texts that grow from item to item are no snapshots
        else:
            _FOLDS[type(delta)](made, delta)
    choice = choices.choice_at(made, 0)
    fields.complete(choice, answer.choices.get(0, ChoiceState()))
    return made
