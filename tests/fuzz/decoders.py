"""Coverage-guided fuzzing of everything that takes bytes, with atheris (https://github.com/google/atheris).

    python -m tests.fuzz.decoders NAME [--seconds 300] [--corpus FOLDER]

`NAME` is `sse`, `json`, `eventstream`, `payloads`, `reader`, or a dialect. A failing input is written to a file and printed,
and the exit status is not 0. Inputs that reach new code are kept in the folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

with atheris.instrument_imports(include=["streamtally"]):
    from streamtally import replay
    from streamtally.dialects import PayloadReader, dialect_names
    from streamtally.errors import FramingError
    from streamtally.framing import EventStreamDecoder, JSONTextDecoder, SSEDecoder, payloads

from tests.dialects.wire import facts
from tests.fuzz.invariants import check
from tests.fuzz.mutations import ODD_BYTES
from tests.fuzz.seeds import seeds

MAX_FRAME = 4_096


def _decode(make: Callable[[], Any], pieces: Iterable[bytes]) -> tuple[list[Any], Any]:
    """The frames of a decoder, and the error that it raises, if any."""
    decoder, found = make(), []
    try:
        for piece in pieces:
            found += decoder.feed(piece)
        found += decoder.flush()
    except FramingError as error:
        return found, str(error)
    return found, decoder.tail


def _cut(data: bytes) -> list[bytes]:
    """The bytes in pieces of a size that the bytes determine."""
    size = data[0] % 32 + 1 if data else 1
    return [data[start : start + size] for start in range(0, len(data), size)]


def _decoder(make: Callable[[], Any]) -> Callable[[bytes], None]:
    """A decoder raises nothing but `FramingError`, and its frames do not depend on how the bytes are cut."""

    def fuzz(data: bytes) -> None:
        whole, in_pieces = _decode(make, [data]), _decode(make, _cut(data))
        assert repr(whole) == repr(in_pieces), (whole, in_pieces)

    return fuzz


def _payloads(data: bytes) -> None:
    payloads(data.decode("utf-8", "replace"))


def _reader(data: bytes) -> None:
    """The reader raises nothing, and neither its chunks nor the record depend on how the bytes are cut."""
    reader = PayloadReader()
    for piece in _cut(data):
        list(reader.read(piece))
    list(reader.end())
    _record(data, None)


def _record(data: bytes, dialect: str | None) -> None:
    record = replay(data, dialect=dialect)
    check(record)
    in_pieces = replay(_cut(data), dialect=dialect)
    assert repr(sorted(facts(in_pieces).items())) == repr(sorted(facts(record).items()))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "sse": _decoder(lambda: SSEDecoder(MAX_FRAME)),
    "json": _decoder(lambda: JSONTextDecoder(MAX_FRAME)),
    "eventstream": _decoder(lambda: EventStreamDecoder(MAX_FRAME)),
    "payloads": _payloads,
    "reader": _reader,
    **{name: lambda data, name=name: _record(data, name) for name in dialect_names()},  # type: ignore[misc]
}


def _write_seeds(name: str, folder: Path) -> None:
    """Write the seeds of a target into a folder: those of its dialect, or all."""
    known = seeds(name) or seeds()
    for number, body in enumerate({seed.body for seed in known}):
        (folder / f"seed-{number}").write_bytes(body[:MAX_FRAME])


def _dictionary(folder: Path) -> Path:
    """Words for the fuzzer to insert, in libFuzzer's dictionary format."""
    path = folder / "words"
    words = [word for word in ODD_BYTES if len(word) < 64]
    path.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words))
    return path


def main() -> None:
    """Fuzz one target for so many seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = options.corpus or Path(work) / "corpus"
        folder.mkdir(parents=True, exist_ok=True)
        _write_seeds(options.name, folder)
        settings = [f"-max_total_time={options.seconds}", f"-max_len={MAX_FRAME * 2}", "-timeout=10", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *settings, f"-dict={_dictionary(Path(work))}", str(folder)], TARGETS[options.name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
