"""Part two: every kind of stream through the client over HTTP, several at once, well and badly ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal

from ..client import AsyncChunkStream, AsyncClient
from ..default import replay
from ..errors import StreamError
from ..records import Outcome, StreamRecord
from ..tally import Tally
from ..testing import FakeProvider
from .formatting import NOTHING, cost_in_words, dollars, milliseconds
from .requests import ASK, answer_fields, client_of
from .streams import Scene
from .view import Bar, Board, Cell, View

COLUMNS = ("stream", "model", "chunks", ">TTFT", ">tok/s", ">cost", "outcome")

_FRAME_SECONDS = 0.08
_STYLES = {Outcome.COMPLETED: "green", Outcome.ERROR: "red", Outcome.TIMEOUT: "red"}


class Playing:
    """One stream as it comes: a row of the table."""

    def __init__(self, scene: Scene, tally: Tally, client: AsyncClient) -> None:
        self.scene = scene
        self._tally = tally
        self._stream: AsyncChunkStream = ASK[scene.dialect](client, scene.model)

    async def read(self) -> None:
        """Read it as a program would; what goes wrong is on the record."""
        read = 0
        with suppress(StreamError):
            async with self._stream as stream:
                async for _ in stream:
                    read += 1
                    if read == self.scene.leaves_after:
                        break

    @property
    def record(self) -> StreamRecord:
        """The record as it stands, priced."""
        record = self._stream.record
        return record if record.outcome else self._tally.priced(record)

    @property
    def cells(self) -> Sequence[Cell]:
        """The row."""
        record = self.record
        rate = record.timing.tokens_per_second
        return (
            self.scene.name,
            record.model or record.requested_model or NOTHING,
            Bar(record.chunk_count, record.chunk_count / len(self.scene.whole.frames)),
            milliseconds(record.timing.time_to_first_token),
            NOTHING if rate is None else f"{rate:.1f}",
            _cost(record),
            _ending(record),
        )

    @property
    def is_as_promised(self) -> bool:
        """Whether the outcome is the expected one, and a completed record equals a replay of what was played."""
        record, scene = self.record, self.scene
        if record.outcome is not Outcome.COMPLETED:
            return record.outcome is scene.expected
        same = answer_fields(record) == answer_fields(replay(scene.played(0).body, dialect=scene.dialect, params=record.params))
        return same and record.outcome is scene.expected


def play_all(scenes: Iterable[Scene], provider: FakeProvider, tally: Tally, view: View) -> list[Playing]:
    """Play all scenes at once, and show them as they come."""
    return asyncio.run(_play_all(scenes, provider, tally, view))


async def _play_all(scenes: Iterable[Scene], provider: FakeProvider, tally: Tally, view: View) -> list[Playing]:
    async with client_of(provider, tally) as client:
        playing = [Playing(scene, tally, client) for scene in scenes]
        with view.board(COLUMNS, playing) as board:
            refreshing = asyncio.create_task(_refresh(board))
            await asyncio.gather(*(_read(one, board) for one in playing))
            refreshing.cancel()
    return playing


async def _read(playing: Playing, board: Board) -> None:
    await playing.read()
    board.settled(playing)


async def _refresh(board: Board) -> None:
    while True:
        board.refresh()
        await asyncio.sleep(_FRAME_SECONDS)


def summary(records: Sequence[StreamRecord]) -> str:
    """What was exported, in one line."""
    outcomes = Counter(record.outcome for record in records)
    endings = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in Outcome if outcomes[outcome])
    costs = [record.cost for record in records]
    known = sum((cost.usd for cost in costs if cost.usd is not None), Decimal())
    unknown = sum(cost.usd is None for cost in costs)
    return f"{len(records)} records: {endings}; {dollars(known)} known, {unknown} costs unknown"


def _cost(record: StreamRecord) -> Cell:
    cost = record.cost
    if cost.usd is None:
        return (cost.status.replace("_", " ") if record.outcome else NOTHING, "dim")
    return (cost_in_words(cost), "" if record.outcome else "dim")


def _ending(record: StreamRecord) -> Cell:
    if record.outcome is None:
        return ("streaming" if record.chunk_count else "waiting", "dim")
    error = record.error
    why = "" if error is None else f": HTTP {error.status}" if error.status else f": {error.type}"
    return (f"{record.outcome}{why}", _STYLES.get(record.outcome, "yellow"))
