"""A thin provider client: one method per stream type, for any server with OpenAI's API."""

from .client import AsyncClient, Client
from .stream import AsyncChunkStream, ChunkStream

__all__ = ["AsyncChunkStream", "AsyncClient", "ChunkStream", "Client"]
