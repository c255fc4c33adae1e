"""What a request used, in tokens and in other units."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from .base import Frozen, JsonObject, Text


class Usage(Frozen):
    """What the request used. `input_tokens` and `output_tokens` are inclusive totals; other counts are parts of them.

    A count that the provider did not report is None. Parts of the input are tokens read from and written to a cache
    (`cache_write_tokens` is the total of all lifetimes), and audio, image and video tokens, cached or not; parts of the
    output are audio, image, video and reasoning tokens. `citation_tokens` are in neither. `seconds` are seconds of audio,
    `annotated_pages` a part of `pages`, `search_units` the units of a reranking, `code_sessions` containers, not calls.
    Grounding: `grounded_queries` counts each search, `grounded_prompts` is 1 if any search was made.
    `source` is "provider", or "estimated" if the tokens were counted locally; `partial` is True if the counts are lower
    bounds because the stream was interrupted. `cost_usd` is the cost that was stated, by a provider who bills it, or by a gateway
    as its own estimate (`cost_stated_by`).
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_write_12h_tokens: int | None = None
    reasoning_tokens: int | None = None
    citation_tokens: int | None = None
    text_input_tokens: int | None = None
    text_output_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    cache_write_audio_tokens: int | None = None
    cache_read_image_tokens: int | None = None
    cache_read_video_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    video_input_tokens: int | None = None
    video_output_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    seconds: float | None = None
    video_seconds: float | None = None
    input_video_seconds: float | None = None
    characters: int | None = None
    images: int | None = None
    input_images: int | None = None
    megapixels: float | None = None
    pages: int | None = None
    annotated_pages: int | None = None
    searches: int | None = None
    grounded_prompts: int | None = None
    grounded_queries: int | None = None
    maps_queries: int | None = None
    file_searches: int | None = None
    code_sessions: int | None = None
    search_units: int | None = None
    image_size: Text | None = None
    image_quality: Text | None = None
    video_size: Text | None = None
    search_context: Text | None = None
    cost_usd: Decimal | None = None
    cost_stated_by: Literal["provider", "gateway"] | None = None
    source: Literal["provider", "estimated"] = "provider"
    partial: bool = False
    raw: JsonObject = Field(default_factory=dict)
