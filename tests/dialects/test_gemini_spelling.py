"""All forms of a Gemini payload are read alike: JSON of the REST API, objects of the SDK, and numbers for enums."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.genai.types import FinishReason, MediaModality

from streamtally.dialects.gemini_spelling import spelled
from streamtally.json_values import MAX_DEPTH

USERS = {"snake_name": {"finish_reason": 1, "finishReason": 1}, "list_of": [{"a_b": 1}]}


def test_names_are_in_one_case_but_for_the_users() -> None:
    """Names in arguments and results are not converted."""
    payload = {
        "candidates": [{"content": {"parts": [{"function_call": {"name": "f_g", "args": USERS}, "part_metadata": USERS}]}}],
        "usage_metadata": {"prompt_tokens_details": [{"token_count": 1}]},
    }
    assert spelled(payload) == {
        "candidates": [{"content": {"parts": [{"functionCall": {"name": "f_g", "args": USERS}, "partMetadata": USERS}]}}],
        "usageMetadata": {"promptTokensDetails": [{"tokenCount": 1}]},
    }


def test_values_are_json() -> None:
    """Enum members become words, bytes base64, times the API's format; nulls are dropped."""
    converted = spelled(
        {
            "create_time": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
            "candidates": [{"finish_reason": FinishReason.STOP, "token_count": None}],
            "modality": MediaModality.TEXT,
            "inline_data": {"data": b"\xfb\xef"},
            "thought_signature": "-_8=",
        }
    )
    assert converted == {
        "createTime": "2026-01-02T03:04:05.000678Z",
        "candidates": [{"finishReason": "STOP"}],
        "modality": "TEXT",
        "inlineData": {"data": "++8="},
        "thoughtSignature": "+/8=",
    }
    assert type(converted["candidates"][0]["finishReason"]) is str


def test_what_the_sdk_adds_is_left_out() -> None:
    """The history has the user's messages, and `parsed` is the answer in another form."""
    assert spelled({"automatic_function_calling_history": [{"role": "user"}], "parsed": {"a": 1}, "model_version": "m"}) == {
        "modelVersion": "m"
    }


@pytest.mark.parametrize(("number", "word"), [(0, "OUTCOME_UNSPECIFIED"), (1, "OUTCOME_OK"), (9, 9), (-1, -1), (True, True)])
def test_numbers_of_enums(number: Any, word: Any) -> None:
    """A number that no table has is kept."""
    assert spelled({"outcome": number}) == {"outcome": word}


def test_depth_is_bounded() -> None:
    """A payload of any depth can be read."""
    deep: Any = "x"
    for _ in range(5 * MAX_DEPTH):
        deep = {"a": [deep]}
    assert "…" in str(spelled({"candidates": deep}))
