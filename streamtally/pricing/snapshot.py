"""The catalog's file format: gzip-compressed JSON with a content hash; equal content always produces equal bytes.

    {schema, revision, generated_at, sources[], units{name: label}, holidays?{name: [dates]},
     providers{id: {api_hosts[], aliases[], fallbacks[], regions?[], makes?{models[], source},
                    models{id: {aliases[], undivided?, alike?[], defaults?, minimum?, maximum?, rows[]}}}}}

`rows` describes the rows; rates are US dollars per published unit. `fallbacks` are providers whose models a provider passes on at
their price. `makes` lists the models that a provider makes itself, as patterns of `fnmatch` for their case-folded names, with the
page that lists them: the price of a first party counts where a request names no provider.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import CatalogError
from .rows import parse_prices

SCHEMA = 1
BUNDLED = "prices.json.gz"


def canonical(content: dict[str, Any]) -> bytes:
    """The bytes that the revision is computed from: the content as sorted JSON, without the revision itself."""
    kept = {key: value for key, value in content.items() if key != "revision"}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def revision_of(content: dict[str, Any]) -> str:
    """The SHA-256 of a catalog's content, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def pack(content: dict[str, Any]) -> bytes:
    """The bytes of a catalog file, with the revision set."""
    stamped = {**content, "revision": revision_of(content)}
    text = json.dumps(stamped, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def unpack(data: bytes) -> dict[str, Any]:
    """The content of a catalog file's bytes, gzip or plain JSON.

    Raises:
        CatalogError: it is not a catalog, or has a schema that this version does not support.
    """
    try:
        content = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise CatalogError(f"not a catalog: {error}") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        schema = content.get("schema") if isinstance(content, dict) else None
        raise CatalogError(f"not a catalog of schema {SCHEMA}: its schema is {schema!r}")
    return content


def checked(content: dict[str, Any], name: str) -> dict[str, Any]:
    """The same content, after every price in it was validated.

    Raises:
        CatalogError: it is malformed; the message starts with `name`.
    """
    try:
        date.fromisoformat(content["generated_at"])
        for provider in content["providers"].values():
            for entry in provider["models"].values():
                parse_prices(entry, content.get("holidays"))
            if not all(isinstance(pattern, str) for pattern in provider.get("makes", {"models": ()})["models"]):
                raise TypeError("a pattern in `makes` must be a string")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogError(f"the catalog {name} is malformed: {error!r}") from error
    return content


def bundled() -> dict[str, Any]:
    """The content of the catalog that ships with the package."""
    return unpack(resources.files(__package__).joinpath("data", BUNDLED).read_bytes())


def from_file(path: str | Path) -> dict[str, Any]:
    """The content of a catalog file; the revision is verified, or computed if the file states none.

    Raises:
        CatalogError: the file is unreadable, has another schema, or does not match the revision that it states.
    """
    try:
        content = unpack(Path(path).read_bytes())
    except OSError as error:
        raise CatalogError(f"cannot read the catalog {path}: {error}") from error
    revision = revision_of(content)
    if content.setdefault("revision", revision) != revision:
        raise CatalogError(f"the catalog {path} does not match its revision: {content['revision']!r} instead of {revision!r}")
    return content
