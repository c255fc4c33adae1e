"""One fold for all stream types: it sends each delta to its meaning, and merges what is said about the stream itself.

The state is the document and nothing else. Folding is a pure function of the chunks and their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..chunks import (
    AudioDelta,
    Channel,
    Chunk,
    Delta,
    DetailDelta,
    FinishDelta,
    ImageDelta,
    ItemDelta,
    PartDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
    merged_usage,
)
from ..dialects import Dialect
from ..errors import RETRYABLE_STATUS
from ..json_values import Json, stated
from ..records import StreamType
from . import choices, items, media, parts
from .document import Document

_MEANINGS: Mapping[type, Callable[[Document, Any], None]] = {
    TextDelta: choices.fold_text,
    ToolCallDelta: choices.fold_tool_call,
    FinishDelta: choices.fold_finish,
    DetailDelta: choices.fold_detail,
    ItemDelta: items.fold_item,
    PartDelta: parts.fold_part,
    AudioDelta: media.fold_audio,
    ImageDelta: media.fold_image,
    TranscriptDelta: media.fold_transcript,
}

_FINISHED: Mapping[StreamType, Callable[[Document], bool]] = {
    StreamType.TEXT: choices.finished,
    StreamType.CHAT: choices.finished,
    StreamType.RESPONSES: choices.finished,
    StreamType.SPEECH: lambda document: bool(document.get("terminal")),
    StreamType.TRANSCRIPTION: media.transcript_final,
    StreamType.IMAGE: lambda document: media.images_complete(document) >= (document.get("images wanted") or 1),
}
"""When a stream of each type has said all that it was to say."""


class Fold:
    """Folds chunks, in the order in which `apply` gets them, into a document."""

    __slots__ = ("document",)

    def __init__(self, document: Document) -> None:
        self.document = document

    def apply(self, chunk: Chunk) -> None:
        """Fold one chunk. What it says of the stream comes first, so that no broken delta takes that along."""
        document = self.document
        if chunk.meta:
            document.values.setdefault(("meta",), {}).update(stated(chunk.meta))
        if chunk.extras:
            document.merge(chunk.extras, "extras")
        if chunk.usage:
            document.values[("usage",)] = merged_usage(document.get("usage"), chunk.usage)
        if chunk.error:
            error = stated(chunk.error)
            if not document.retain:
                error.pop("body", None)  # it may hold what the provider said until then
            document.values[("error",)] = {**(document.get("error") or {}), **error}
        if chunk.terminal:
            document.values[("terminal",)] = True
        for delta in chunk.deltas:
            _MEANINGS[type(delta)](document, delta)

    @property
    def terminal(self) -> bool:
        """Whether an end marker came."""
        return bool(self.document.get("terminal"))

    @property
    def error(self) -> Mapping[str, Json] | None:
        """The fields of the error that came inside the stream, if one did; its status says whether to try again."""
        error: Mapping[str, Json] | None = self.document.get("error")
        if error is None:
            return None
        status = error.get("status")
        told = {} if status is None else {"retryable": status in RETRYABLE_STATUS}
        return {"type": "provider_error", **told, **error}

    def finished(self, stream_type: StreamType) -> bool:
        """Whether the provider has said that it is done, with every choice, image or item."""
        return _FINISHED[stream_type](self.document)

    def text_writer(self, channel: Channel = "text", choice: int = 0) -> Callable[[str], object] | None:
        """The function that appends to a text that has begun already; None for one that has not."""
        return self._begun("choice", choice, channel)

    def arguments_writer(self, index: int, choice: int = 0) -> Callable[[str], object] | None:
        """The same for the arguments of the tool call that is open under a provider's index."""
        call = self.document.get("choice", choice, "call at", index)
        if call is None or call != self.document.get("choice", choice, "last call"):
            return None
        return self._begun("choice", choice, "call", call, "arguments")

    def item_writer(self, position: int, *path: str | int) -> Callable[[str], object] | None:
        """The same for a text in the output item at a provider's position."""
        key = items.key_at(self.document, position)
        return None if key is None else self._begun("item", key, *path)

    def _begun(self, *address: str | int) -> Callable[[str], object] | None:
        return self.document.text_writer(*address) if self.document.has_text(*address) else None

    def content(self, dialect: Dialect, stream_type: StreamType) -> dict[str, Any]:
        """The content fields of the record."""
        document = self.document
        rules = dialect.items
        found = items.items(document, rules.assemble) if rules else []
        answer = _answer(document, rules.to_deltas(found)) if rules and found else document
        return {
            "choices": choices.choices(answer, dialect.finish_reasons, kept=document.retain or answer is document),
            "output_items": (*(map(rules.present, found) if rules else ()), *parts.parts(document)),
            "audio": media.audio(document),
            "images": media.images(document),
            "transcript": media.transcript(document) if stream_type is StreamType.TRANSCRIPTION else None,
            "extras": document.get("extras") or {},
            "dropped_bytes": document.dropped,
        }


def _answer(document: Document, said: Iterable[Delta]) -> Document:
    """The one choice that output items make, with what was said of it beside them."""
    answer = Document()
    answer.note(0, "choices")
    for name in ("role", "finish", "extras"):
        answer.put(document.get("choice", 0, name), "choice", 0, name)
    for delta in said:
        _MEANINGS[type(delta)](answer, delta)
    return answer
