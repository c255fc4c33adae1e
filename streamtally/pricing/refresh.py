"""Newer prices, when the application asks for them: fetched, verified, kept, and never worse than what there was.

    latest.json   {"sha256": "…", "file"?: "prices-….json.gz"}    beside it the snapshot, named by its hash

The snapshot's bytes must have the hash, its content the revision that it states, its schema be ours, all its prices be
readable, its date not lie before that of the prices in use or of the bundled ones, and its models not be far fewer.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from ..clock import SYSTEM_CLOCK, wall_time
from ..errors import CatalogError
from . import snapshot

POINTER = "latest.json"
LARGEST = 32 * 2**20
"""Bytes, packed or unpacked; the bundled snapshot has less than a hundredth of it."""

FEWEST = 0.8
"""The share of the models at hand that a newer snapshot must have at least."""

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh did: `outcome` is "updated", "unchanged" (the prices in use are those), or "failed", for `reason`.

    `revision` is that of the prices in use afterwards, `at` when it was.
    """

    outcome: Literal["updated", "unchanged", "failed"]
    source: str
    revision: str
    generated_at: str
    at: datetime | None = None
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.outcome != "failed"


def renewed(
    source: str | Path, current: Mapping[str, Any], *, cache_dir: str | Path | None = None, timeout: float = 30.0
) -> tuple[Refresh, dict[str, Any] | None]:
    """What became of a refresh, and the newer content where there is one. It never raises: a failure is a status.

    Args:
        source: the path or URL of a `latest.json`.
        current: the content in use.
        cache_dir: where to keep what was fetched; None means the system's place for caches.
        timeout: seconds that a server may be silent.
    """
    now = wall_time(SYSTEM_CLOCK.wall_ns(SYSTEM_CLOCK.monotonic_ns()))
    outcome: Literal["updated", "unchanged", "failed"] = "failed"
    content: dict[str, Any] | None = None
    reason = None
    try:
        digest, name = _pointed(_fetched(str(source), timeout, 2**16))
        data = _fetched(_beside(str(source), name), timeout, LARGEST)
        if sha256(data).hexdigest() != digest:
            raise CatalogError(f"{name} does not have the hash that {POINTER} states")
        newer = verified(data, name)
        if newer["revision"] == current["revision"]:
            outcome = "unchanged"
        else:
            _refuse_worse(newer, current)
            _refuse_worse(newer, snapshot.bundled())
            keep(data, digest, cache_dir)
            content, outcome = newer, "updated"
    except (CatalogError, OSError, ValueError, EOFError, zlib.error, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
    using = current if content is None else content
    return Refresh(outcome, str(source), str(using["revision"]), str(using["generated_at"]), now, reason), content


def verified(data: bytes, name: str) -> dict[str, Any]:
    """The content of a snapshot's bytes, every price of it read.

    Raises:
        CatalogError: no snapshot, not the revision that it states, or a price that cannot be read.
    """
    if data[:2] == b"\x1f\x8b":
        inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        data = inflate.decompress(data, LARGEST)
        if inflate.unconsumed_tail or not inflate.eof:
            raise CatalogError(f"{name} is cut short, or larger than any catalog")
    content = snapshot.unpack(data)
    if content.get("revision") != snapshot.revision_of(content):
        raise CatalogError(f"{name} does not match its revision")
    return snapshot.checked(content, name)


def keep(data: bytes, digest: str, cache_dir: str | Path | None = None) -> Path:
    """Write a snapshot and the pointer to it, each whole or not at all, and return the snapshot's path.

    Raises:
        OSError: the directory cannot be written.
    """
    folder = cache_folder(cache_dir)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"prices-{digest}.json.gz"
    _write(path, data)
    _write(folder / POINTER, json.dumps({"sha256": digest, "file": path.name}).encode())
    return path


def kept(cache_dir: str | Path | None, bundled: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a refresh kept, where it is newer than the bundled prices and still what it was."""
    folder = cache_folder(cache_dir)
    try:
        digest, name = _pointed((folder / POINTER).read_bytes())
        data = (folder / name).read_bytes()
        if sha256(data).hexdigest() != digest:
            return None
        content = verified(data, name)
        _refuse_worse(content, bundled)
    except (CatalogError, OSError, ValueError, EOFError, zlib.error, RecursionError):
        return None
    return content


def cache_folder(cache_dir: str | Path | None) -> Path:
    """The directory for what was fetched: the given one, or the system's place for a user's caches."""
    if cache_dir is not None:
        return Path(cache_dir)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "streamtally"


def _refuse_worse(newer: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    if newer["generated_at"] < old["generated_at"]:
        raise CatalogError(f"prices of {newer['generated_at']} are older than those of {old['generated_at']}")
    if _models(newer) < FEWEST * _models(old):
        raise CatalogError(f"{_models(newer)} models are far fewer than {_models(old)}")


def _models(content: Mapping[str, Any]) -> int:
    return sum(len(provider["models"]) for provider in content["providers"].values())


def _pointed(data: bytes) -> tuple[str, str]:
    """The hash and the file name in a `latest.json`; the name may only be one beside it."""
    pointer = json.loads(data)
    digest = pointer.get("sha256") if isinstance(pointer, dict) else None
    if not isinstance(digest, str) or not _HASH.fullmatch(digest):
        raise CatalogError(f"no {POINTER}: it states no SHA-256")
    name = pointer.get("file", f"prices-{digest}.json.gz")
    if not isinstance(name, str) or digest not in name or not re.fullmatch(r"[\w.-]+", name):
        raise CatalogError(f"a snapshot is named by its hash and lies beside {POINTER}: {name!r}")
    return digest, name


def _remote(source: str) -> bool:
    return urlsplit(source).scheme in ("http", "https", "file")


def _beside(source: str, name: str) -> str:
    return urljoin(source, name) if _remote(source) else str(Path(source).with_name(name))


def _fetched(source: str, timeout: float, most: int) -> bytes:
    """The bytes at a path or URL."""
    if not _remote(source):
        with Path(source).open("rb") as file:
            return _within(file.read(most + 1), most, source)
    from urllib.request import Request, urlopen  # loads sockets and TLS, which nobody else needs

    request = Request(source, headers={"User-Agent": "streamtally"})
    with urlopen(request, timeout=timeout) as response:
        return _within(response.read(most + 1), most, source)


def _within(data: bytes, most: int, source: str) -> bytes:
    if len(data) > most:
        raise CatalogError(f"{source} is larger than {most} bytes")
    return data


def _write(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
