"""Pictures and sound in an answer whose usage report does not count their tokens apart from those of text.

Their rate is another than that of text, so that the amount at the rate of text is only a part of the cost. Where the report
leaves no other possibility, the tokens are theirs. Pure functions of the record.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..dialects import known_dialect
from ..records import StreamRecord, StreamType, Usage

_FIELDS = {"output_image": "image_output_tokens", "output_audio": "audio_output_tokens"}
"""The counts of the kinds of output that are no text, by their units."""

_MIXED = frozenset({StreamType.TEXT, StreamType.CHAT, StreamType.RESPONSES})
"""The types of stream whose answers may have several kinds of output."""


def media_of(record: StreamRecord) -> tuple[str, ...]:
    """The units of the pictures and of the sound in an answer that the model made, and no tool of the provider."""
    if record.stream_type not in _MIXED:
        return ()
    found = []
    if record.images and not any(_may_make_pictures(record)):
        found.append("output_image")
    if record.audio is not None:
        found.append("output_audio")
    return tuple(found)


def _may_make_pictures(record: StreamRecord) -> Iterator[bool]:
    """For each output item whether it is of a tool whose pictures stand in the answer: items are told by type or by field."""
    tools = known_dialect(record.dialect).charges.picture_tools
    return (item.get("type") in tools or not tools.isdisjoint(item) for item in record.output_items)


def divided(record: StreamRecord, usage: Usage, media: tuple[str, ...]) -> tuple[Usage, tuple[str, ...]]:
    """The usage with the tokens of pictures and sound, where they are certain; and the units of those that are not.

    Args:
        record: the answer.
        usage: its usage; a count of 0 for what the answer has is none.
        media: the kinds that it has, as `media_of` gives them.
    """
    unknown = tuple(unit for unit in media if not getattr(usage, _FIELDS[unit]) and not (unit == "output_image" and usage.images))
    if not unknown or not usage.output_tokens:
        return usage, ()
    rest = _rest(record, usage) if len(unknown) == 1 else 0
    return (usage.model_copy(update={_FIELDS[unknown[0]]: rest}), ()) if rest > 0 else (usage, unknown)


def _rest(record: StreamRecord, usage: Usage) -> int:
    """The output tokens that can be of one kind only: all that are not counted as others; 0 if text may be among them."""
    text = usage.text_output_tokens
    if not text and (record.parts or any(_words(record))):
        return 0
    others = (text, usage.reasoning_tokens, usage.image_output_tokens, usage.audio_output_tokens, usage.video_output_tokens)
    return (usage.output_tokens or 0) - sum(count or 0 for count in others)


def _words(record: StreamRecord) -> Iterator[object]:
    """Everything in an answer that costs tokens of text which its report does not count apart."""
    for choice in record.choices:
        yield choice.text or choice.refusal or choice.tool_calls
        yield choice.reasoning and (record.usage is None or not record.usage.reasoning_tokens)
    yield record.audio is not None and record.audio.transcript
