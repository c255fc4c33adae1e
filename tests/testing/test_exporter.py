from streamtally.records import StreamRecord, StreamType
from streamtally.testing import RecordingExporter


def record(request_id: str) -> StreamRecord:
    """A minimal record with this ID."""
    return StreamRecord(request_id=request_id, stream_type=StreamType.CHAT, dialect="openai.chat")


def test_it_keeps_records() -> None:
    """Records are kept in order, those of opened streams separately, and calls are counted."""
    exporter = RecordingExporter()
    exporter.on_start(record("a"))
    exporter.export(record("a"))
    exporter.export(record("b"))
    assert [one.request_id for one in exporter.started] == ["a"]
    assert [one.request_id for one in exporter.records] == ["a", "b"]
    assert exporter.flush() is exporter.flush(timeout=0.1) is True
    assert (exporter.flushes, exporter.closed) == (2, False)
    exporter.close()
    assert exporter.closed
    assert len(exporter.records) == 2
