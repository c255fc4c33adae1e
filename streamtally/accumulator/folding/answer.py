"""The state of a stream: what its chunks have brought so far, in typed fields of declared kinds.

    Answer
    ├── earlier: PartState              answers that ended before, with the fields from `choices` on
    ├── payloads: DistinctState         payloads of unknown format
    ├── events: DistinctState           events of unknown types, by type
    ├── choices: ChoiceState            text, reasoning, refusal, finish reason, …
    │   ├── details: DetailsState       structured reasoning
    │   ├── annotations: DistinctState
    │   └── tools: ToolCallsState
    │       └── calls: CallState
    │           └── paths: PathState    arguments that come by path
    ├── items: ItemsState               output items and content blocks
    │   └── items: ItemState
    │       └── pieces: PieceState
    ├── audio: AudioState
    ├── images: ImageSeriesState        one series for each choice
    │   └── images: ImageState
    └── transcript: TranscriptState

Folding writes to it, the record is read from it, and it keeps nothing else. What a field's kind means is in `fields`; what is
left of JSON content where content is not kept is in `skeletons`.
"""

from __future__ import annotations

from ...json_values import Json
from . import fields as kind
from . import skeletons
from .growing import Data, Retention, Text


@kind.state
class PathState:
    """What came of a tool call's arguments at one path: a text in pieces, or a value (in a list of one, so that null is one)."""

    text: Text | None = kind.text()
    value: list[Json] | None = kind.content()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of what came is kept."""
        return self.value is None and (self.text is None or (self.text.lost > 0 and not self.text.size))


@kind.state
class CallState:
    """A tool call: `position` is the server's index, `continues` whether the server stated that more of it follows.

    `scan` is how far the arguments were searched for the end of their JSON object, see `tool_calls`.
    """

    id: str | None = kind.fact()
    name: str | None = kind.fact()
    type: str | None = kind.fact()
    position: int | None = kind.fact()
    continues: bool | None = kind.fact()
    scan: list[Json] | None = kind.fact()
    arguments: Text | None = kind.text()
    paths: dict[str, PathState] = kind.part_map(PathState)
    extras: dict[str, Json] | None = kind.content(skeletons.of_extras)


@kind.state
class ToolCallsState:
    """The tool calls of a choice in order of appearance, and which of them a position or an ID names, by its number."""

    calls: list[CallState] = kind.part_list(CallState)
    by_position: dict[int, int] = kind.index()
    by_id: dict[str, int] = kind.index()
    last: int | None = kind.fact()


@kind.state
class ListState:
    """A list of JSON values that grows; None before the first."""

    items: list[Json] | None = kind.content()


@kind.state
class DetailState:
    """An entry of structured reasoning: its fields, of which three grow."""

    fields: dict[str, Json] | None = kind.content()
    text: Text | None = kind.text()
    summary: Text | None = kind.text()
    data: Text | None = kind.text()


@kind.state
class DetailsState:
    """Structured reasoning: the entries by place and type; `signed` and `signed_up_to` are indexes of `reasoning.py`."""

    entries: dict[str, DetailState] = kind.part_map(DetailState, is_content=True)
    signed: dict[tuple[str, int], int] = kind.index()
    signed_up_to: dict[tuple[str, int], int] = kind.index()


@kind.state
class DistinctState:
    """JSON values of which each is kept once, and the digests of those that came."""

    items: list[Json] | None = kind.content()
    seen: dict[int, None] = kind.index()


@kind.state
class ChoiceState:
    """An answer. `parts` is the log that `parts.py` writes, `text_growth` and `reasoning_growth` are states of `snapshots.py`."""

    role: str | None = kind.fact()
    text: Text | None = kind.text()
    text_growth: bool | list[int] | None = kind.fact()
    reasoning: Text | None = kind.text()
    reasoning_growth: bool | list[int] | None = kind.fact()
    refusal: Text | None = kind.text()
    finish: str | None = kind.fact()
    finish_number: int | None = kind.fact()
    tools: ToolCallsState | None = kind.part(ToolCallsState)
    details: DetailsState | None = kind.part(DetailsState)
    annotations: DistinctState | None = kind.part(DistinctState)
    logprobs: dict[str, ListState] = kind.part_map(ListState)
    parts: list[Json] | None = kind.content()
    extras: dict[str, Json] | None = kind.content(skeletons.of_extras)


@kind.state
class PieceState:
    """What came at one path of an output item: a text in pieces, a value, or a list that grows.

    `start` is the text with which the item started, as long as the pieces that follow may repeat it; `repeated` is how much of it
    they have repeated.
    """

    text: Text | None = kind.text()
    start: str | None = kind.content()
    repeated: int = kind.fact(0)
    value: Json = kind.content()
    listed: list[Json] | None = kind.content()


@kind.state
class ItemState:
    """An output item: as its `added` and `done` events carried it, and the pieces that came between them, by path.

    `id` and `call` are the first IDs by which it was named, `ids` is how many of its IDs are remembered.
    """

    index: int | None = kind.fact()
    type: str | None = kind.fact()
    id: str | None = kind.fact()
    call: str | None = kind.fact()
    ids: int = kind.fact(0)
    opened: bool = kind.fact(False)
    closed: bool = kind.fact(False)
    added: dict[str, Json] | None = kind.content(skeletons.of_item)
    done: dict[str, Json] | None = kind.content(skeletons.of_item)
    pieces: dict[tuple[str | int, ...], PieceState] = kind.part_map(PieceState)


@kind.state
class ItemsState:
    """The output items in order of appearance, by ID and by place, and the final list of all of them.

    The place of an item is its index and its type, see `items.py`. `restarted_by` is the ID of the response that last restarted
    the positions, `offset` the index at which its own begin.
    """

    items: list[ItemState] = kind.part_list(ItemState)
    by_id: dict[str, int] = kind.index()
    places: dict[tuple[int | None, str | None], list[int]] = kind.index()
    offset: int = kind.fact(0)
    restarted_by: str | None = kind.fact()
    final: list[Json] | None = kind.content(skeletons.of_items)


@kind.state
class AudioState:
    """Sound, and the words that go with it."""

    data: Data | None = kind.data()
    transcript: Text | None = kind.text()
    fields: dict[str, Json] | None = kind.content(skeletons.of_medium)


@kind.state
class ImageState:
    """An image, `complete` or only previewed; `partials` counts its previews."""

    data: Data | None = kind.data()
    partials: int = kind.fact(0)
    complete: bool = kind.fact(False)
    fields: dict[str, Json] | None = kind.content(skeletons.of_medium)


@kind.state
class ImageSeriesState:
    """The images of one choice by position, and the positions of those that are not complete, oldest first."""

    images: dict[int, ImageState] = kind.part_map(ImageState)
    open: dict[int, None] = kind.index()


@kind.state
class SpokenState:
    """What was said, or in one turn of it; `lists` are segments, words and log probabilities."""

    final: bool = kind.fact(False)
    text: Text | None = kind.text()
    lists: dict[str, ListState] = kind.part_map(ListState)


@kind.state
class TranscriptState(SpokenState):
    """The transcript, and its turns, where it comes in turns."""

    turns: dict[tuple[int, ...], SpokenState] = kind.part_map(SpokenState)
    fields: dict[str, Json] | None = kind.content(skeletons.of_medium)


@kind.state
class PartState:
    """One of several answers of a stream, see `several.py`.

    `name` is what its chunks call it, `number` how many answers began before it. `usage_is_final`: the last report came with the
    end of the answer.
    """

    name: str | None = kind.fact()
    number: int = kind.fact(0)
    meta: dict[str, Json] | None = kind.fact()
    usage: dict[str, Json] | None = kind.fact()
    scoped_usage: dict[str, dict[str, Json]] | None = kind.fact()
    usage_is_final: bool = kind.fact(False)
    error: dict[str, Json] | None = kind.content(skeletons.of_error)
    terminal: bool = kind.fact(False)
    choices: dict[int, ChoiceState] = kind.part_map(ChoiceState)
    items: ItemsState | None = kind.part(ItemsState)
    audio: AudioState | None = kind.part(AudioState)
    images: dict[int, ImageSeriesState] = kind.part_map(ImageSeriesState)
    images_complete: int = kind.fact(0)
    transcript: TranscriptState | None = kind.part(TranscriptState)


@kind.state
class Answer(PartState):
    """What the chunks of a stream have brought so far. All its content is counted in `retention`.

    The fields of `PartState` are those of the answer that is streaming, or of the last one; `earlier` are those before it, and
    `places` the places there of those that have names.
    """

    retention: Retention = kind.retention()
    earlier: list[PartState] = kind.part_list(PartState)
    places: dict[str, int] = kind.index()
    extras: dict[str, Json] | None = kind.content(skeletons.of_extras)
    payloads: DistinctState | None = kind.part(DistinctState)
    events: dict[str, DistinctState] = kind.part_map(DistinctState, is_content=True)
    images_wanted: int | None = kind.fact()

    @classmethod
    def empty(cls, *, keep: bool) -> Answer:
        """A state to which nothing was folded yet; without `keep` its content is counted and not kept."""
        answer = cls()
        answer.retention.keep = keep
        return answer

    def dump(self) -> Json:
        """The state as JSON that shares nothing with it."""
        return kind.dump(self)

    @classmethod
    def load(cls, dumped: Json) -> Answer:
        """The state that `dump` described.

        Raises:
            TypeError, ValueError, KeyError, AttributeError: it is no dump of a state.
        """
        return kind.load(cls, dumped, Retention())

    def copy(self) -> Answer:
        """An independent copy."""
        return Answer.load(self.dump())

    def remove_content(self) -> None:
        """Keep no content from here on, and remove what is kept: ids, names, counts and finish reasons remain."""
        self.retention.stop()
        kind.remove_content(self, self.retention)
