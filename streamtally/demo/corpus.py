"""Recorded streams through HTTP and the client, beside a replay of the same bodies: each pair of records must be equal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..client import AsyncClient
from ..default import replay
from ..errors import StreamError
from ..records import StreamRecord
from ..tally import Tally
from ..testing import FakeProvider
from ..testing.recordings import Recording, read_recordings
from .formatting import NOTHING
from .requests import ASK, answer_fields, client_of
from .view import Board, Cell, View

COLUMNS = ("API", ">recordings", ">equal", ">different", "state")

_AT_ONCE = 16


@dataclass(slots=True)
class Played:
    """The recordings of one API: a row of the table."""

    api: str
    recordings: Sequence[Recording]
    equal: int = 0
    different: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether all were played."""
        return self.equal + len(self.different) == len(self.recordings)

    @property
    def cells(self) -> Sequence[Cell]:
        """The row."""
        faults = (str(len(self.different)), "red") if self.different else NOTHING
        return (
            self.api,
            str(len(self.recordings)),
            (str(self.equal), "green"),
            faults,
            "done" if self.is_done else ("playing", "dim"),
        )


def play(folder: Path, view: View) -> list[str]:
    """Play the recordings in a folder, of the APIs that the client supports; returns what differed."""
    found = list(read_recordings(folder))
    played = [Played(api, [one for one in found if one.api == api]) for api in ASK]
    played = [one for one in played if one.recordings]
    if not played:
        return [f"there are no recordings of {', '.join(ASK)} in {folder}"]
    view.heading(f"Recordings in {folder}: through HTTP and the client, beside a replay of the same bytes")
    with FakeProvider(corpus=folder) as provider:
        asyncio.run(_play_all(played, provider, view))
    return [f"the records of {one.api} {name} differ" for one in played for name in one.different]


async def _play_all(played: Sequence[Played], provider: FakeProvider, view: View) -> None:
    async with client_of(provider, Tally()) as client:
        with view.board(COLUMNS, played) as board:
            for one in played:
                await _play_one(one, client, board)
                board.settled(one)


async def _play_one(played: Played, client: AsyncClient, board: Board) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def compare(recording: Recording) -> None:
        async with room:
            streamed = await _streamed(recording, client)
        if answer_fields(streamed) == answer_fields(_replayed(recording, streamed)):
            played.equal += 1
        else:
            played.different.append(recording.name)
        board.refresh()

    await asyncio.gather(*map(compare, played.recordings))


async def _streamed(recording: Recording, client: AsyncClient) -> StreamRecord:
    stream = ASK[recording.api](client, recording.name)
    with suppress(StreamError):
        async with stream:
            async for _ in stream:
                pass
    record: StreamRecord = stream.record
    return record


def _replayed(recording: Recording, streamed: StreamRecord) -> StreamRecord:
    return replay(recording.scenario.body, dialect=recording.api, params=streamed.params)
