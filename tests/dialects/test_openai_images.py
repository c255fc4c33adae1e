"""Image generation and edits: previews are whole images, which the completed one replaces."""

import base64
from typing import Any

import pytest

from streamtally import StreamRecord, replay
from tests.dialects.wire import Payload, facts, keyed, read, sdk_objects, stated

DIALECT = "openai.images"
USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 1000,
    "total_tokens": 1050,
}
LOOKS = {"created_at": 1, "size": "1024x1024", "quality": "high", "background": "opaque", "output_format": "png"}


def code(data: bytes) -> str:
    """The image as it is sent."""
    return base64.b64encode(data).decode()


def partial(data: bytes, number: int = 0, kind: str = "image_generation", **fields: Any) -> Payload:
    """A preview."""
    return {"type": f"{kind}.partial_image", "b64_json": code(data), "partial_image_index": number, **LOOKS, **fields}


def completed(data: bytes, kind: str = "image_generation", **fields: Any) -> Payload:
    """A whole image."""
    return {"type": f"{kind}.completed", "b64_json": code(data), **LOOKS, "usage": USAGE, **fields}


def seen(record: StreamRecord) -> list[tuple[int, bytes | None, int, bool]]:
    """Index, data, number of previews, and completeness of each image."""
    return [(image.index, image.data, image.partials, image.complete) for image in record.images]


@pytest.mark.parametrize("kind", ["image_generation", "image_edit"])
def test_previews_are_replaced(kind: str) -> None:
    """An image has its completed data, its description, and usage."""
    record = read([partial(b"one", 0, kind), partial(b"two", 1, kind), completed(b"whole", kind)], DIALECT)
    assert stated(record) == {
        "outcome": "completed",
        "images": (
            {
                "data": b"whole",
                "mime_type": "image/png",
                "partials": 2,
                "complete": True,
                "extras": {"created_at": 1, "size": "1024x1024", "quality": "high", "background": "opaque"}
                | {"output_format": "png"},
            },
        ),
        "usage": {
            "input_tokens": 50,
            "output_tokens": 1000,
            "total_tokens": 1050,
            "text_input_tokens": 10,
            "image_input_tokens": 40,
            "images": 1,
            "image_size": "1024x1024",
            "image_quality": "high",
        },
    }


def test_previews_alone() -> None:
    """Without the completed event an image is its last preview, the stream is truncated, and no image is counted."""
    record = read([partial(b"one", 0), partial(b"two", 1)], DIALECT)
    assert (seen(record), record.outcome, record.usage) == ([(0, b"two", 2, False)], "truncated", None)


@pytest.mark.parametrize("numbered", [True, False])
def test_three_images(numbered: bool) -> None:
    """Three completed images are three, with or without an index."""
    events = [{**completed(bytes([n]) * 3), **({"index": n} if numbered else {})} for n in range(3)]
    record = read(events, DIALECT)
    assert seen(record) == [(n, bytes([n]) * 3, 0, True) for n in range(3)]
    assert record.usage is not None
    assert (record.usage.images, record.usage.total_tokens) == (3, 1050)


def test_three_images_with_previews_one_after_the_other() -> None:
    """A preview without an index belongs to the image that is not complete."""
    events = [event for n in range(3) for event in (partial(b"p"), partial(b"q", 1), completed(bytes([n])))]
    assert seen(read(events, DIALECT)) == [(n, bytes([n]), 2, True) for n in range(3)]


def test_three_images_with_previews_in_turns() -> None:
    """With an index previews and images may come in any order, and a late preview does not replace a completed image."""
    events = [partial(b"p", index=2), partial(b"q", index=0), completed(b"0", index=0), partial(b"r", index=1)]
    events += [completed(b"2", index=2), partial(b"late", index=2), completed(b"1", index=1)]
    assert seen(read(events, DIALECT)) == [(0, b"0", 1, True), (1, b"1", 1, True), (2, b"2", 2, True)]


@pytest.mark.parametrize(("wanted", "outcome"), [(1, "completed"), (2, "completed"), (3, "truncated")])
def test_as_many_as_requested(wanted: int, outcome: str) -> None:
    """The stream is complete after `n` images."""
    events = [completed(b"0"), completed(b"1")]
    for payloads in (events, sdk_objects(events, DIALECT)):
        assert replay(payloads, dialect=DIALECT, params={"n": wanted}).outcome == outcome


def test_a_url_and_a_prompt() -> None:
    """An image that is linked has its URL; the revised prompt is kept."""
    whole = {"type": "image_generation.completed", "url": "https://x.test/1", "revised_prompt": "a cat", "model": "m-1"}
    record = read([whole], DIALECT)
    assert stated(record) == {
        "outcome": "completed",
        "images": ({"url": "https://x.test/1", "revised_prompt": "a cat", "complete": True},),
        "usage": {"images": 1},
    }


def test_a_last_event_with_totals_only() -> None:
    """Images that are sent as `partial_succeeded` are complete, if the completed event has none."""
    images = [
        {"type": "image_generation.partial_succeeded", "image_index": n, "url": f"https://x.test/{n}", "size": "2x2"}
        for n in range(2)
    ]
    last = {
        "type": "image_generation.completed",
        "model": "m-1",
        "usage": {"generated_images": 2, "output_tokens": 8, "total_tokens": 8},
    }
    record = read([*images, last], DIALECT)
    assert [(image.url, image.complete) for image in record.images] == [("https://x.test/0", True), ("https://x.test/1", True)]
    assert record.usage is not None
    assert (record.outcome, record.usage.images, record.usage.output_tokens) == ("completed", 2, 8)


def test_unknown_events_are_kept() -> None:
    """An unknown event is kept in the record."""
    record = read([completed(b"0"), {"type": "image_generation.mood", "mood": "good"}], DIALECT)
    assert record.extras["events"]["image_generation.mood"][0]["mood"] == "good"
    assert facts(record) == facts(keyed([completed(b"0"), {"type": "image_generation.mood", "mood": "good"}], DIALECT))
