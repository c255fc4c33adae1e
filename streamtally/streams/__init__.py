"""The wrappers: a source's chunks pass through untouched, and at the end, whichever end it is, there is one record.

A `StreamSession` is shared by the wrapper that the caller has and the generator that reads. `session.py` states the life of a
stream.
"""

from .loops import BLOCK
from .session import StreamSession
from .wrappers import AsyncTalliedStream, DualTalliedStream, TalliedStream, opener_of, wrapper_of

__all__ = ["BLOCK", "AsyncTalliedStream", "DualTalliedStream", "StreamSession", "TalliedStream", "opener_of", "wrapper_of"]
