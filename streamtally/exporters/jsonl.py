"""Records as JSON lines in a file."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import IO

from ..records import StreamRecord
from .redaction import to_json

DEFAULT_PATH = "streamtally.jsonl"


class JsonLinesExporter:
    """Appends one line of JSON for each record.

    Each line is written whole and at once, so several threads and processes can append to one file, and nothing is held
    back. A file that does not exist yet is made readable for its owner alone. One that was moved or removed, as logrotate
    does, is made anew with the next line. `StreamRecord.model_validate_json` reads a line back; without content the fields
    of content are absent from it.

    Args:
        path_or_file: where to append; an open text file stays the caller's to close.
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
        self._file = _Appended(path_or_file) if isinstance(path_or_file, str | os.PathLike) else path_or_file

    def export(self, record: StreamRecord) -> None:
        """Append one line."""
        line = to_json(record, content=self._content) + "\n"
        with self._lock:
            self._file.write(line)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - a file takes its own time
        """Hand what an open text file holds back to the operating system."""
        with self._lock:
            self._file.flush()
        return True

    def after_fork(self) -> None:
        """Open the file again, in a forked child; one that was given, or is closed, stays as it is."""
        self._lock = Lock()
        if isinstance(self._file, _Appended) and not self._file.closed:
            self._file.reopen()

    def close(self) -> None:
        """Close the file that was opened here; flush one that was given."""
        with self._lock:
            if self._own:
                self._file.close()
            else:
                self._file.flush()


class _Appended:
    """A file without a buffer, so that a line goes out in one piece and a forked process inherits none of it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        folder = self._path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"the folder for the records does not exist: {folder}")
        self._file = self._opened()

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
        """Nothing is held back."""

    def close(self) -> None:
        self._file.close()

    def reopen(self) -> None:
        """Go on in the file that is at the path now."""
        before, self._file = self._file, self._opened()
        before.close()

    def _opened(self) -> FileIO:
        return open(self._path, "ab", buffering=0, opener=_for_the_owner)

    def _moved(self) -> bool:
        """Whether the path leads to another file by now, or to none: asked each time, as `WatchedFileHandler` does."""
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
