import json
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from streamtally.errors import CatalogError
from streamtally.pricing import ModelCatalog, snapshot
from streamtally.pricing.refresh import MAX_BYTES, cache_folder, cached_content, store, verify
from streamtally.records import Usage

USAGE = Usage(input_tokens=1_000_000)


def content(day: str = "2099-01-01", models: int = 5000, rate: str = "1", **fields: Any) -> dict[str, Any]:
    """Catalog content with enough models to be accepted."""
    entries = {f"m{number}": {"rows": [{"rates": {"input": rate}}]} for number in range(models)}
    return {"schema": 1, "generated_at": day, "sources": [], "providers": {"p": {"models": entries}}, **fields}


def one_model(row: dict[str, Any]) -> dict[str, Any]:
    """Catalog content with one row."""
    return content(providers={"p": {"models": {"m": {"rows": [row]}}}})


def publish(folder: Path, data: bytes, **pointer: Any) -> Path:
    """Write a snapshot and the pointer to it; returns the pointer's path."""
    digest = sha256(data).hexdigest()
    (folder / f"prices-{digest}.json.gz").write_bytes(data)
    latest = folder / "latest.json"
    latest.write_text(json.dumps({"sha256": digest, **pointer}))
    return latest


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A directory and the URL of a real server that serves it."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/latest.json"
        server.shutdown()
        thread.join()


@pytest.fixture
def catalog() -> ModelCatalog:
    """A catalog that is older than the published one."""
    old = content("2026-01-01", models=3, rate="9")
    return ModelCatalog({**old, "revision": snapshot.revision_of(old)})


def test_newer_prices_from_a_server(catalog: ModelCatalog, served: tuple[Path, str], tmp_path: Path) -> None:
    """Newer prices are in use at once for every holder of the catalog, and cached for the next process."""
    folder, url = served
    publish(folder, snapshot.pack(content()))
    mine = catalog.override("m1", {"input": "7"})
    status = catalog.refresh(url, cache_dir=tmp_path / "cache")
    assert (status.outcome, bool(status), status.reason) == ("updated", True, None)
    assert catalog.status is status
    assert (catalog.revision, len(catalog), catalog.generated_at) == (status.revision, 5000, "2099-01-01")
    assert catalog.price("m0", USAGE, provider="p").usd == 1
    assert mine.price("m0", USAGE, provider="p").usd == 9
    assert mine.refresh(url, cache_dir=tmp_path / "cache")
    assert [mine.price(model, USAGE, provider="p").usd for model in ("m0", "m1")] == [1, 7]
    assert catalog.refresh(url, cache_dir=tmp_path / "cache").outcome == "unchanged"
    assert ModelCatalog.latest(cache_dir=tmp_path / "cache").revision == status.revision
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted(
        ["latest.json", next(folder.glob("prices-*")).name]
    )


@pytest.mark.parametrize("form", ["path", "text", "file url"])
def test_newer_prices_from_a_file(catalog: ModelCatalog, tmp_path: Path, form: str) -> None:
    """The source may be a path or a file URL."""
    latest = publish(tmp_path, snapshot.pack(content()))
    sources: dict[str, str | Path] = {"path": latest, "text": str(latest), "file url": latest.as_uri()}
    assert catalog.status is None
    assert catalog.refresh(sources[form], cache_dir=tmp_path / "cache").outcome == "updated"


def _broken(**change: Any) -> bytes:
    whole = snapshot.unpack(snapshot.pack(content()))
    return json.dumps({**whole, **change}).encode()


FAULTS: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "another hash": (snapshot.pack(content()), {"sha256": "0" * 64}, "FileNotFoundError"),
    "no hash": (snapshot.pack(content()), {"sha256": "latest"}, "SHA-256"),
    "a path": (snapshot.pack(content()), {"file": "../prices.json.gz"}, "beside"),
    "older than the bundled": (snapshot.pack(content("2026-02-01")), {}, "older"),
    "far fewer models": (snapshot.pack(content(models=9)), {}, "far fewer"),
    "another schema": (_broken(schema=2), {}, "schema"),
    "changed content": (_broken(generated_at="2099-02-01"), {}, "revision"),
    "no day": (snapshot.pack(content("tomorrow")), {}, "malformed"),
    "an unknown unit": (snapshot.pack(one_model({"rates": {"x": "1"}})), {}, "unknown unit"),
    "an unknown condition": (snapshot.pack(one_model({"rates": {}, "moon": "full"})), {}, "unknown condition"),
    "cut short": (snapshot.pack(content())[:-9], {}, "cut short"),
    "no gzip": (b"\x1f\x8b no", {}, "error"),
    "nothing": (b"", {}, "not a catalog"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_an_invalid_snapshot_changes_nothing(catalog: ModelCatalog, tmp_path: Path, fault: str) -> None:
    """After a failed verification the prices stay, nothing is cached, and the status has the reason."""
    data, pointer, reason = FAULTS[fault]
    before = catalog.revision
    status = catalog.refresh(publish(tmp_path, data, **pointer), cache_dir=tmp_path / "cache")
    assert (status.outcome, bool(status), status.revision) == ("failed", False, before)
    assert reason in (status.reason or "")
    assert catalog.price("m0", USAGE, provider="p").usd == 9
    assert not (tmp_path / "cache").exists()


def test_prices_older_than_those_in_use_are_rejected(tmp_path: Path) -> None:
    """Prices older than those in use are rejected even if they are newer than the bundled ones."""
    newest = content("2099-12-31")
    catalog = ModelCatalog({**newest, "revision": snapshot.revision_of(newest)})
    assert "older" in (catalog.refresh(publish(tmp_path, snapshot.pack(content())), cache_dir=tmp_path).reason or "")


@pytest.mark.parametrize(
    "source", ["http://127.0.0.1:9/latest.json", "/nowhere/latest.json", "ftp://x/latest.json", "http://[", ""]
)
def test_a_source_that_cannot_be_reached(catalog: ModelCatalog, tmp_path: Path, source: str) -> None:
    """An unreachable source is a failure, not an exception."""
    assert catalog.refresh(source, cache_dir=tmp_path, timeout=1).outcome == "failed"


def test_a_server_without_the_snapshot(catalog: ModelCatalog, served: tuple[Path, str], tmp_path: Path) -> None:
    """A pointer without its snapshot is a failure."""
    folder, url = served
    latest = publish(folder, snapshot.pack(content()))
    next(folder.glob("prices-*")).unlink()
    assert latest.exists()
    status = catalog.refresh(url, cache_dir=tmp_path / "cache")
    assert "404" in (status.reason or "")


def test_a_cache_that_cannot_be_written(catalog: ModelCatalog, tmp_path: Path) -> None:
    """Prices that cannot be cached are not used, so that all processes have the same."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    status = catalog.refresh(publish(tmp_path, snapshot.pack(content())), cache_dir=blocked / "below")
    assert status.outcome == "failed"
    assert catalog.price("m0", USAGE, provider="p").usd == 9


def test_a_decompression_bomb_is_rejected() -> None:
    """A snapshot that exceeds the size limit when decompressed is rejected."""
    bomb = snapshot.pack({"schema": 1, "padding": " " * (MAX_BYTES + 9)})
    assert len(bomb) < MAX_BYTES / 100
    with pytest.raises(CatalogError, match="larger"):
        verify(bomb, "bomb")


@pytest.mark.parametrize("damage", ["no pointer", "no snapshot", "another snapshot", "older"])
def test_a_damaged_cache_is_ignored(tmp_path: Path, damage: str) -> None:
    """With a damaged cache the bundled prices are used."""
    data = snapshot.pack(content("2026-01-01" if damage == "older" else "2099-01-01"))
    path = store(data, sha256(data).hexdigest(), tmp_path)
    if damage == "no pointer":
        (tmp_path / "latest.json").unlink()
    elif damage == "no snapshot":
        path.unlink()
    elif damage == "another snapshot":
        path.write_bytes(snapshot.pack(content(rate="2")))
    assert cached_content(tmp_path, snapshot.bundled()) is None
    assert ModelCatalog.latest(cache_dir=tmp_path) is ModelCatalog.bundled()


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/streamtally"),
        ("linux", {"HOME": "/home/u"}, "/home/u/.cache/streamtally"),
        ("darwin", {"HOME": "/Users/u"}, "/Users/u/Library/Caches/streamtally"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/streamtally"),
    ],
)
def test_the_cache_directory(monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], expected: str) -> None:
    """The cache lies in the user's cache directory of each system."""
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder(None).as_posix() == expected


def test_prices_change_for_all_threads_at_once(tmp_path: Path) -> None:
    """A cost computed during a refresh has only old or only new prices."""
    old = content("2099-01-01", rate="1")
    catalog = ModelCatalog({**old, "revision": snapshot.revision_of(old)})
    latest = publish(tmp_path, snapshot.pack(content("2099-01-02", rate="2")))
    first, seen, stop = catalog.revision, set(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            cost = catalog.price("m7", USAGE, provider="p")
            seen.add((cost.catalog_revision, cost.usd))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    status = catalog.refresh(latest, cache_dir=tmp_path / "cache")
    stop.set()
    for thread in threads:
        thread.join()
    assert seen <= {(first, 1), (status.revision, 2)}
