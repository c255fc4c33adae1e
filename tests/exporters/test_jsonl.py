"""Records as lines in a file."""

import io
import json
import stat
from pathlib import Path
from threading import Thread

import pytest

from streamtally.exporters import JsonLinesExporter, without_content
from streamtally.records import StreamRecord
from tests.exporters.samples import MARK, marked, record


def test_one_line_for_each_record(tmp_path: Path) -> None:
    """Appended to the file, and parsed back to the same record."""
    path = tmp_path / "records.jsonl"
    path.write_text("before\n")
    exporter = JsonLinesExporter(path, content=True)
    exporter.export(record())
    exporter.export(marked())
    before, *lines = path.read_text().splitlines()
    assert before == "before"
    assert [StreamRecord.model_validate_json(line) for line in lines] == [record(), marked()]
    assert exporter.flush()
    exporter.close()


def test_without_content_its_fields_are_absent(tmp_path: Path) -> None:
    """Fields of content are absent, not empty. Counts and sizes stay."""
    exporter = JsonLinesExporter(str(tmp_path / "records.jsonl"))
    exporter.export(marked())
    exporter.close()
    line = (tmp_path / "records.jsonl").read_text()
    found = json.loads(line)
    assert MARK not in line
    assert "text" not in found["choices"][0]
    assert "params" not in found
    assert (found["audio"]["size"], found["usage"]["output_tokens"], found["error"]["type"]) == (len(MARK), 2, "server_error")
    assert StreamRecord.model_validate_json(line) == without_content(marked())


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """An existing file keeps its mode."""
    new, old = tmp_path / "new.jsonl", tmp_path / "old.jsonl"
    old.touch(mode=0o644)
    old.chmod(0o644)
    for path in (new, old):
        JsonLinesExporter(path).close()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (new, old)] == [0o600, 0o644]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """When the exporter is created, not with the first record."""
    with pytest.raises(FileNotFoundError, match=str(tmp_path / "nowhere")):
        JsonLinesExporter(tmp_path / "nowhere" / "records.jsonl")


def test_an_open_file_stays_the_callers(tmp_path: Path) -> None:
    """An open file is flushed and not closed."""
    with (tmp_path / "records.jsonl").open("w") as file:
        exporter = JsonLinesExporter(file)
        exporter.export(record())
        assert exporter.flush()
        exporter.close()
        assert not file.closed
        assert json.loads((tmp_path / "records.jsonl").read_text())["response_id"] == "response-1"
    memory = io.StringIO()
    JsonLinesExporter(memory).export(record())
    assert memory.getvalue().endswith("}\n")


def test_several_threads_and_exporters_append_whole_lines(tmp_path: Path) -> None:
    """Also lines that are longer than a buffer."""
    path = tmp_path / "records.jsonl"
    one, other = JsonLinesExporter(path, content=True), JsonLinesExporter(path, content=True)
    long = record(extras={"long": "x" * 100_000})
    threads = [Thread(target=lambda by=by: [by.export(long) for _ in range(10)]) for by in (one, other, one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.close()
    other.close()
    lines = path.read_text().splitlines()
    assert len(lines) == 40
    assert set(lines) == {long.model_dump_json()}


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "removed"])
def test_a_file_that_was_moved_is_made_anew(tmp_path: Path, moved: bool) -> None:
    """If the file is moved, as by logrotate, or removed, the next lines go to a new file that only its owner can read."""
    path, old = tmp_path / "records.jsonl", tmp_path / "records.jsonl.1"
    exporter = JsonLinesExporter(path)
    exporter.export(record(request_id="before"))
    if moved:
        path.rename(old)
    else:
        path.unlink()
    exporter.export(record(request_id="after"))
    exporter.export(record(request_id="later"))
    exporter.close()
    assert [json.loads(line)["request_id"] for line in path.read_text().splitlines()] == ["after", "later"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not moved or json.loads(old.read_text())["request_id"] == "before"


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later change of the working folder has no effect."""
    monkeypatch.chdir(tmp_path)
    exporter = JsonLinesExporter("records.jsonl")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    exporter.export(record())
    exporter.close()
    assert len((tmp_path / "records.jsonl").read_text().splitlines()) == 1
