"""Chunks of a source whose texts and calls are all that came so far, or are certainly pieces."""

from __future__ import annotations

from ..chunks import Chunk, Delta, ItemDelta, TextDelta, ToolCallDelta


def declared(chunk: Chunk, cumulative: bool) -> Chunk:
    """The chunk with its texts and calls declared as all that came so far, or as pieces."""
    return chunk._replace(deltas=tuple(_declared(delta, cumulative) for delta in chunk.deltas))


def _declared(delta: Delta, cumulative: bool) -> Delta:
    if isinstance(delta, TextDelta) and delta.whole is None:
        return delta._replace(whole=cumulative)
    if not cumulative:  # then the first piece repeats nothing
        return delta._replace(op="append") if isinstance(delta, ItemDelta) and delta.op == "first" else delta
    if isinstance(delta, ToolCallDelta):
        return delta._replace(final=True)
    if isinstance(delta, ItemDelta) and delta.op in ("append", "first"):
        return delta._replace(op="text")
    return delta


def overlaid(chunk: Chunk, extracted: Chunk) -> Chunk:
    """A dialect's chunk with what an extractor found in its place: of the same kind of content, and field by field."""
    kinds = {_kind(delta) for delta in extracted.deltas}
    return chunk._replace(
        deltas=(*(delta for delta in chunk.deltas if _kind(delta) not in kinds), *extracted.deltas),
        meta={**chunk.meta, **extracted.meta},
        usage=extracted.usage or chunk.usage,
        error=extracted.error or chunk.error,
    )


def _kind(delta: Delta) -> tuple[type, str]:
    return type(delta), delta.channel if isinstance(delta, TextDelta) else ""
