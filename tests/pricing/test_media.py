"""Pictures and sound in answers whose usage report may not count their tokens apart from those of text."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Audio, Choice, Image, Outcome, StreamRecord, StreamType, ToolCall, Usage
from streamtally.pricing import ModelCatalog
from streamtally.pricing.media import divided, media_of
from streamtally.pricing.pricer import Pricer
from streamtally.records import Cost, Part

from .lists import catalog, price, row

PICTURE, SOUND = Image(index=0, data=b"i"), Audio(data=b"a", size=1)
RATES = {"input": "1", "output": "2", "output_image": "30", "output_audio": "60"}
PRICES = catalog(row(RATES))


def record(usage: Usage | None, *choices: Choice, **fields: Any) -> StreamRecord:
    """An answer of model "m" of provider "p"."""
    fields = {"stream_type": StreamType.CHAT, "dialect": "openai.chat", "outcome": Outcome.COMPLETED, **fields}
    return StreamRecord(request_id="r", provider="p", model="m", usage=usage, choices=choices, **fields)


def cost(usage: Usage | None, *choices: Choice, prices: ModelCatalog = PRICES, **fields: Any) -> Cost:
    """What it costs."""
    return Pricer(prices).priced(record(usage, *choices, **fields)).cost


WORDS = Choice(text="here", finish_reason="stop")
NO_WORDS = Choice(finish_reason="stop")
MILLION = Usage(input_tokens=0, output_tokens=1_000_000)


@pytest.mark.parametrize(
    ("usage", "choice", "fields", "usd"),
    [
        (MILLION, NO_WORDS, {"images": (PICTURE,)}, 30),
        (MILLION, NO_WORDS, {"audio": SOUND}, 60),
        (MILLION.model_copy(update={"reasoning_tokens": 500_000}), NO_WORDS, {"images": (PICTURE,)}, 16),
        (MILLION.model_copy(update={"text_output_tokens": 500_000}), WORDS, {"images": (PICTURE,)}, 16),
        (MILLION.model_copy(update={"image_output_tokens": 500_000}), WORDS, {"images": (PICTURE,)}, 16),
        (MILLION.model_copy(update={"image_output_tokens": 0}), NO_WORDS, {"images": (PICTURE,)}, 30),
        (MILLION, WORDS, {}, 2),
    ],
)
def test_where_the_split_is_certain(usage: Usage, choice: Choice, fields: dict[str, Any], usd: int) -> None:
    """Each token has the rate of its kind, and the cost is complete."""
    found = cost(usage, choice, **fields)
    assert (found.status, found.complete, found.unpriced) == ("priced", True, ())
    assert found.usd == usd


@pytest.mark.parametrize(
    ("usage", "choice", "fields", "unpriced"),
    [
        (MILLION, WORDS, {"images": (PICTURE,)}, ("output_image",)),
        (MILLION, WORDS, {"audio": SOUND}, ("output_audio",)),
        (MILLION, NO_WORDS, {"audio": Audio(data=b"a", transcript="hi", size=1)}, ("output_audio",)),
        (MILLION, NO_WORDS, {"images": (PICTURE,), "audio": SOUND}, ("output_image", "output_audio")),
        (
            MILLION,
            Choice(tool_calls=(ToolCall(index=0, name="f", arguments="{}"),), finish_reason="stop"),
            {"images": (PICTURE,)},
            ("output_image",),
        ),
        (MILLION, Choice(reasoning="hm", finish_reason="stop"), {"images": (PICTURE,)}, ("output_image",)),
        (MILLION.model_copy(update={"image_output_tokens": 0}), WORDS, {"images": (PICTURE,)}, ("output_image",)),
        (MILLION.model_copy(update={"text_output_tokens": 1_000_000}), WORDS, {"images": (PICTURE,)}, ("output_image",)),
    ],
)
def test_where_it_is_not(usage: Usage, choice: Choice, fields: dict[str, Any], unpriced: tuple[str, ...]) -> None:
    """The rate of text is a part of the cost, and is not called complete."""
    found = cost(usage, choice, **fields)
    assert (found.complete, found.status, found.unpriced) == (False, "unpriced_unit", unpriced)


def test_what_says_nothing_of_the_split() -> None:
    """No usage, no output, an image with a price of its own, a stated cost, a picture that a tool made, speech."""
    assert cost(None, WORDS, images=(PICTURE,)).status == "no_usage"
    assert cost(Usage(input_tokens=10), NO_WORDS, images=(PICTURE,)).unpriced == ()
    priced = catalog(row({"input": "1", "output": "2", "images": "0.04"}))
    assert cost(MILLION.model_copy(update={"input_tokens": 9, "images": 1}), WORDS, images=(PICTURE,), prices=priced).complete
    stated = cost(MILLION.model_copy(update={"cost_usd": Decimal(1)}), WORDS, images=(PICTURE,))
    assert (stated.usd, stated.complete, stated.source) == (Decimal(1), True, "provider")
    assert media_of(record(MILLION, WORDS, audio=SOUND, stream_type=StreamType.SPEECH)) == ()


@pytest.mark.parametrize(
    ("dialect", "item"),
    [
        ("openai.responses", {"type": "image_generation_call"}),
        ("gemini", {"codeExecutionResult": {"outcome": "OUTCOME_OK"}}),
        ("gemini.interactions", {"type": "code_execution_result"}),
        ("mistral.conversations", {"type": "tool.execution"}),
    ],
)
def test_pictures_that_a_tool_made(dialect: str, item: dict[str, Any]) -> None:
    """They are no output of the model; without the tool they are."""
    assert media_of(record(MILLION, images=(PICTURE,), dialect=dialect, output_items=(item,))) == ()
    assert media_of(record(MILLION, images=(PICTURE,), dialect=dialect, output_items=({"type": "message"},))) == ("output_image",)


def test_several_answers() -> None:
    """Which of them has the picture is not known."""
    found = cost(MILLION, NO_WORDS, images=(PICTURE,), parts=(Part(usage=MILLION), Part(usage=MILLION)))
    assert (found.usd, found.complete, found.unpriced) == (Decimal(4), False, ("output_image",))


@given(output=st.integers(1, 10**6), reasoning=st.integers(0, 10**6), text=st.none() | st.integers(0, 10**6), words=st.booleans())
def test_parts_never_exceed_the_whole(output: int, reasoning: int, text: int | None, words: bool) -> None:
    """What is taken for pictures is what remains of the output."""
    usage = Usage(output_tokens=output, reasoning_tokens=reasoning, text_output_tokens=text)
    found, unknown = divided(record(usage, WORDS if words else NO_WORDS), usage, ("output_image",))
    if unknown:
        assert found is usage
    else:
        assert output == (found.image_output_tokens or 0) + reasoning + (text or 0)
        assert text or not words


@pytest.mark.parametrize(
    ("usage", "kind"),
    [
        ({"output_tokens": 100, "image_output_tokens": 60}, "output_image"),
        ({"output_tokens": 100, "audio_output_tokens": 60}, "output_audio"),
        ({"output_tokens": 100, "video_output_tokens": 60}, "output_video"),
        ({"input_tokens": 100, "audio_input_tokens": 60}, "input_audio"),
        ({"input_tokens": 100, "audio_input_tokens": 60, "cache_read_tokens": 60, "cache_read_audio_tokens": 60}, "input_audio"),
    ],
)
def test_a_kind_without_a_rate(usage: dict[str, Any], kind: str) -> None:
    """It has the rate of the whole, and the cost is not complete, unless the maker states that the rate is the same."""
    rates = {"input": "1", "output": "2", "cache_read": "0.1"}
    found = price(catalog(row(rates)), Usage(**usage))
    assert (found.complete, found.status, found.unpriced) == (False, "unpriced_unit", (kind,))
    same = price(catalog(row(rates), alike=[kind]), Usage(**usage))
    assert (same.usd, same.complete, same.unpriced) == (found.usd, True, ())
    assert price(catalog(row({**rates, kind: "5"})), Usage(**usage)).complete


@pytest.mark.parametrize("usage", [{"input_tokens": 9, "image_input_tokens": 9}, {"output_tokens": 9, "audio_output_tokens": 0}])
def test_pictures_of_the_input_are_input(usage: dict[str, Any]) -> None:
    """Providers count them as input tokens; a count of nothing needs no rate."""
    assert price(catalog(row({"input": "1", "output": "2"})), Usage(**usage)).complete
