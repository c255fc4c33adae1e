"""What remains of streams that ended: their IDs, so that late chunks open nothing, and for a while their records."""

from __future__ import annotations

from collections import OrderedDict

from ..records import StreamRecord


class Tombstones:
    """A bounded memory of ended request IDs; the oldest are forgotten first. Not thread-safe: the registry locks."""

    def __init__(self, room: int, records: int) -> None:
        self._room = room
        self._late: OrderedDict[str, int] = OrderedDict()
        self._records: OrderedDict[str, StreamRecord] = OrderedDict()
        self._record_room = records
        self.late = 0

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._late

    def bury(self, request_id: str, record: StreamRecord) -> None:
        """Remember a stream that ended."""
        self._late[request_id] = 0
        self._records[request_id] = record
        while len(self._records) > self._record_room:
            self._records.popitem(last=False)
        while len(self._late) > self._room:
            self._records.pop(self._late.popitem(last=False)[0], None)

    def count_late(self, request_id: str) -> bool:
        """Count a chunk that came after the end; False for an ID that is not remembered."""
        if request_id not in self._late:
            return False
        self._late[request_id] += 1
        self.late += 1
        return True

    def record(self, request_id: str) -> StreamRecord | None:
        """The record of a stream that ended, with its late chunks counted, if it is still here."""
        record = self._records.get(request_id)
        late = self._late.get(request_id, 0)
        if record is not None and record.late != late:
            record = self._records[request_id] = record.model_copy(update={"late": late})
        return record

    def drop_record(self, request_id: str) -> None:
        """Forget the record; the ID stays."""
        self._records.pop(request_id, None)

    def exhume(self, request_id: str) -> None:
        """Forget an ID altogether, for it is opened anew."""
        self._late.pop(request_id, None)
        self._records.pop(request_id, None)
