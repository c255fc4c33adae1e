"""Records as JSON lines in a file."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import IO

from ..records import StreamRecord
from .base import Exporter
from .redaction import to_json

DEFAULT_PATH = "streamtally.jsonl"


class JsonLinesExporter(Exporter):
    """Appends one line of JSON for each record.

    Each line is written in one call and without a buffer, so several threads and processes can append to one file. A file
    that does not exist is created readable for its owner only. One that was moved or removed, as logrotate does, is created
    again with the next line. `StreamRecord.model_validate_json` reads a line; without content, fields of content are absent.

    Args:
        path_or_file: the path of the file, or an open text file, which the caller closes.
        content: whether generated content, request parameters and error messages are written.

    Raises:
        FileNotFoundError: the folder does not exist.

    Example:
        >>> import io, json
        >>> from streamtally.records import StreamType
        >>> file = io.StringIO()
        >>> JsonLinesExporter(file).export(StreamRecord(request_id="r1", stream_type=StreamType.CHAT, dialect="openai.chat"))
        >>> json.loads(file.getvalue())["request_id"]
        'r1'
    """

    def __init__(self, path_or_file: str | os.PathLike[str] | IO[str] = DEFAULT_PATH, *, content: bool = False) -> None:
        self._content = content
        self._lock = Lock()
        self._own = isinstance(path_or_file, str | os.PathLike)
        self._file = _AppendedFile(path_or_file) if isinstance(path_or_file, str | os.PathLike) else path_or_file

    def export(self, record: StreamRecord) -> None:
        """Append one line."""
        line = to_json(record, content=self._content) + "\n"
        with self._lock:
            self._file.write(line)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - a file takes its own time
        """Flush an open text file."""
        with self._lock:
            self._file.flush()
        return True

    def after_fork(self) -> None:
        """Open the file again, in a forked child. A file that was given, or is closed, stays as it is."""
        self._lock = Lock()
        if isinstance(self._file, _AppendedFile) and not self._file.closed:
            self._file.reopen()

    def close(self) -> None:
        """Close the file that was opened by its path; flush one that was given."""
        with self._lock:
            if self._own:
                self._file.close()
            else:
                self._file.flush()


class _AppendedFile:
    """A file without a buffer, so that a line is written in one piece and a forked process inherits none of it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        folder = self._path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"the folder for the records does not exist: {folder}")
        self._file = self._open()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, text: str) -> object:
        if self._moved():
            self.reopen()
        rest = memoryview(text.encode())
        while rest:
            rest = rest[self._file.write(rest) :]
        return None

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        self._file.close()

    def reopen(self) -> None:
        """Continue with the file that is at the path now."""
        before, self._file = self._file, self._open()
        before.close()

    def _open(self) -> FileIO:
        return open(self._path, "ab", buffering=0, opener=_open_for_owner)

    def _moved(self) -> bool:
        """Whether the path is that of another file, or of none: checked for each line, as `WatchedFileHandler` does."""
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
