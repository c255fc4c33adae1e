"""Fetches newer prices on request, verifies them and stores them in a cache.

    latest.json   {"sha256": "…", "file"?: "prices-….json.gz"}    the snapshot lies beside it, named by its hash

A snapshot is accepted if its bytes have the hash, its content matches its revision, its schema is supported, all its prices are
readable, its date is not before that of the prices in use and of the bundled ones, and it has at least `MIN_MODEL_SHARE` of their
models.
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
MAX_BYTES = 32 * 2**20
"""The maximum size of a snapshot in bytes, compressed or not; the bundled one has less than a hundredth of it."""

MIN_MODEL_SHARE = 0.8
"""The minimum number of models of a newer snapshot, as a share of the number of models in use."""

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Refresh:
    """The result of a refresh: `outcome` is "updated", "unchanged" (the source has the prices in use) or "failed" (`reason`).

    `revision` and `generated_at` are those of the prices in use afterwards; `at` is the time of the refresh. False if it failed.
    """

    outcome: Literal["updated", "unchanged", "failed"]
    source: str
    revision: str
    generated_at: str
    at: datetime | None = None
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.outcome != "failed"


def fetch_newer(
    source: str | Path, current: Mapping[str, Any], *, cache_dir: str | Path | None = None, timeout: float = 30.0
) -> tuple[Refresh, dict[str, Any] | None]:
    """Fetch and verify a snapshot; returns the result, and the newer content or None. A failure is a result, not an exception.

    Args:
        source: the path or URL of a `latest.json`.
        current: the content in use.
        cache_dir: the cache directory; None means the system's cache directory of the user.
        timeout: seconds without data from a server after which it fails.
    """
    now = wall_time(SYSTEM_CLOCK.wall_ns(SYSTEM_CLOCK.monotonic_ns()))
    outcome: Literal["updated", "unchanged", "failed"] = "failed"
    content: dict[str, Any] | None = None
    reason = None
    try:
        digest, name = _parse_pointer(_read_source(str(source), timeout, 2**16))
        data = _read_source(_sibling(str(source), name), timeout, MAX_BYTES)
        if sha256(data).hexdigest() != digest:
            raise CatalogError(f"{name} does not have the hash that {POINTER} states")
        newer = verify(data, name)
        if newer["revision"] == current["revision"]:
            outcome = "unchanged"
        else:
            _reject_worse(newer, current)
            _reject_worse(newer, snapshot.bundled())
            store(data, digest, cache_dir)
            content, outcome = newer, "updated"
    except (CatalogError, OSError, ValueError, EOFError, zlib.error, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
    using = current if content is None else content
    return Refresh(outcome, str(source), str(using["revision"]), str(using["generated_at"]), now, reason), content


def verify(data: bytes, name: str) -> dict[str, Any]:
    """The verified content of a snapshot's bytes; `name` is its file name, for errors.

    Raises:
        CatalogError: it is not a snapshot, does not match the revision that it states, or has a price that cannot be read.
    """
    if data[:2] == b"\x1f\x8b":
        inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        data = inflate.decompress(data, MAX_BYTES)
        if inflate.unconsumed_tail or not inflate.eof:
            raise CatalogError(f"{name} is cut short, or larger than {MAX_BYTES} bytes")
    content = snapshot.unpack(data)
    if content.get("revision") != snapshot.revision_of(content):
        raise CatalogError(f"{name} does not match its revision")
    return snapshot.checked(content, name)


def store(data: bytes, digest: str, cache_dir: str | Path | None = None) -> Path:
    """Write a snapshot and the pointer to it, each atomically, and return the snapshot's path.

    Raises:
        OSError: the directory cannot be written.
    """
    folder = cache_folder(cache_dir)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"prices-{digest}.json.gz"
    _write(path, data)
    _write(folder / POINTER, json.dumps({"sha256": digest, "file": path.name}).encode())
    return path


def cached_content(cache_dir: str | Path | None, bundled: Mapping[str, Any]) -> dict[str, Any] | None:
    """The content of the cached snapshot, or None if there is none, it fails verification, or it is older than `bundled`."""
    folder = cache_folder(cache_dir)
    try:
        digest, name = _parse_pointer((folder / POINTER).read_bytes())
        data = (folder / name).read_bytes()
        if sha256(data).hexdigest() != digest:
            return None
        content = verify(data, name)
        _reject_worse(content, bundled)
    except (CatalogError, OSError, ValueError, EOFError, zlib.error, RecursionError):
        return None
    return content


def cache_folder(cache_dir: str | Path | None) -> Path:
    """The cache directory: the given one, or the package's directory in the system's cache directory of the user."""
    if cache_dir is not None:
        return Path(cache_dir)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "streamtally"


def _reject_worse(newer: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    if newer["generated_at"] < old["generated_at"]:
        raise CatalogError(f"prices of {newer['generated_at']} are older than those of {old['generated_at']}")
    if _count_models(newer) < MIN_MODEL_SHARE * _count_models(old):
        raise CatalogError(f"{_count_models(newer)} models are far fewer than {_count_models(old)}")


def _count_models(content: Mapping[str, Any]) -> int:
    return sum(len(provider["models"]) for provider in content["providers"].values())


def _parse_pointer(data: bytes) -> tuple[str, str]:
    """The hash and the file name in a `latest.json`; the file must lie beside it.

    Raises:
        CatalogError: the hash or the file name is invalid.
    """
    pointer = json.loads(data)
    digest = pointer.get("sha256") if isinstance(pointer, dict) else None
    if not isinstance(digest, str) or not _HASH.fullmatch(digest):
        raise CatalogError(f"{POINTER} states no SHA-256")
    name = pointer.get("file", f"prices-{digest}.json.gz")
    if not isinstance(name, str) or digest not in name or not re.fullmatch(r"[\w.-]+", name):
        raise CatalogError(f"{POINTER} must name a file beside it whose name contains its hash, not {name!r}")
    return digest, name


def _remote(source: str) -> bool:
    return urlsplit(source).scheme in ("http", "https", "file")


def _sibling(source: str, name: str) -> str:
    return urljoin(source, name) if _remote(source) else str(Path(source).with_name(name))


def _read_source(source: str, timeout: float, limit: int) -> bytes:
    """The bytes at a path or URL."""
    if not _remote(source):
        with Path(source).open("rb") as file:
            return _check_size(file.read(limit + 1), limit, source)
    from urllib.request import Request, urlopen  # imported here because it loads sockets and TLS

    request = Request(source, headers={"User-Agent": "streamtally"})
    with urlopen(request, timeout=timeout) as response:
        return _check_size(response.read(limit + 1), limit, source)


def _check_size(data: bytes, limit: int, source: str) -> bytes:
    if len(data) > limit:
        raise CatalogError(f"{source} is larger than {limit} bytes")
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
