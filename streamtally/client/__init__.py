"""The thin provider client: one method for each kind of stream, against any server that speaks OpenAI's API."""

from .client import AsyncClient, Client
from .stream import AsyncChunkStream, ChunkStream

__all__ = ["AsyncChunkStream", "AsyncClient", "ChunkStream", "Client"]
