"""The IDs of streams that ended, so that late chunks open no new stream; and for a while their records."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from ..records import StreamRecord


class _Ended(NamedTuple):
    record: StreamRecord
    owner: object


class Tombstones:
    """A bounded memory of ended request IDs; the oldest are forgotten first. Not thread-safe: the registry locks."""

    def __init__(self, room: int, records: int) -> None:
        self._room = room
        self._late: OrderedDict[str, int] = OrderedDict()
        self._ended: OrderedDict[str, _Ended] = OrderedDict()
        self._record_room = records
        self.late = 0

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._late

    def mark(self, request_id: str) -> None:
        """Remember an ID whose record is still being made: chunks that come for it are late."""
        self._late.setdefault(request_id, 0)

    def add(self, request_id: str, record: StreamRecord, owner: object) -> None:
        """Remember a stream that ended; `owner` distinguishes it from other streams of the same ID."""
        self.mark(request_id)
        self._ended[request_id] = _Ended(record, owner)
        while len(self._ended) > self._record_room:
            self._ended.popitem(last=False)
        while len(self._late) > self._room:
            self._ended.pop(self._late.popitem(last=False)[0], None)

    def count_late(self, request_id: str) -> bool:
        """Count a chunk that came after the end; False for an ID that is not remembered."""
        if request_id not in self._late:
            return False
        self._late[request_id] += 1
        self.late += 1
        return True

    def record(self, request_id: str) -> StreamRecord | None:
        """The record of a stream that ended, with its count of late chunks; None where it is not kept any more."""
        ended = self._ended.get(request_id)
        if ended is None:
            return None
        late = self._late.get(request_id, 0)
        if ended.record.late != late:
            ended = self._ended[request_id] = ended._replace(record=ended.record.model_copy(update={"late": late}))
        return ended.record

    def drop_record(self, request_id: str, owner: object = None) -> None:
        """Forget the record (with `owner`, only if it is that stream's); the ID stays."""
        ended = self._ended.get(request_id)
        if ended is not None and owner in (None, ended.owner):
            del self._ended[request_id]

    def forget(self, request_id: str) -> None:
        """Forget an ID and its record: a new stream of this ID is opened."""
        self._late.pop(request_id, None)
        self._ended.pop(request_id, None)
