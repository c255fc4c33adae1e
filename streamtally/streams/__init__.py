"""The wrappers: a source's chunks pass through untouched, and at the end, whichever end it is, there is one record.

How it holds together: a `Reading` is shared by the wrapper that the caller has and the generator that reads. It goes when
both have gone, and only then is a stream abandoned. Every ending, of every kind, goes through `Reading.end`.
"""

from .loops import BLOCK
from .reading import Reading
from .wrappers import AsyncTalliedStream, DualTalliedStream, TalliedStream, opener_of, wrapper_of

__all__ = ["BLOCK", "AsyncTalliedStream", "DualTalliedStream", "Reading", "TalliedStream", "opener_of", "wrapper_of"]
