"""Gemini's streamGenerateContent: text, thoughts, finish reasons, blocked prompts, errors, and other fields."""

from typing import Any

import pytest

from streamtally import replay, to_response
from tests.dialects.gemini_wire import answers, call, read_all, reply, response_of, stated, text, thought

ANSWER = {"text": "hello", "finish_reason": "stop", "finish_reason_raw": "STOP"}


def test_a_plain_answer() -> None:
    """Text, finish reason and cumulative usage make a complete record; text alone needs no output items."""
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    record = read_all([reply(text("hel"), usage={"promptTokenCount": 3}), reply(text("lo"), finish="STOP", usage=usage)])
    assert stated(record) == {"outcome": "completed", "choices": (ANSWER,)}
    assert record.choices[0].role == "model"
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.total_tokens) == (3, 2, 5)


def test_thoughts_are_reasoning() -> None:
    """Parts that are marked as thoughts are reasoning, also if a chunk has text too."""
    record = read_all(
        [reply(thought("let ")), reply(thought("me"), text("hel")), reply(text("lo", thought=False), finish="STOP")]
    )
    assert stated(record) == {"outcome": "completed", "choices": ({**ANSWER, "reasoning": "let me"},)}


def test_several_candidates() -> None:
    """The index of a candidate without one is its place."""
    chunks = [
        answers({"content": {"parts": [text("a")]}}, {"content": {"parts": [text("x")]}, "index": 1}),
        answers({"content": {"parts": [text("y")]}, "index": 1, "finishReason": "MAX_TOKENS"}),
        answers({"content": {"parts": [text("b")]}, "finishReason": "STOP"}),
    ]
    record = read_all(chunks)
    assert [(one.text, one.finish_reason) for one in record.choices] == [("ab", "stop"), ("xy", "length")]
    assert replay(chunks[:2], dialect="gemini").outcome == "truncated"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        *((word, "content_filter") for word in ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")),
        *((word, "content_filter") for word in ("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "MODEL_ARMOR")),
        *((word, "error") for word in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "NO_IMAGE")),
    ],
)
def test_finish_reasons(word: str, reason: str) -> None:
    """Each word of the provider is normalised; one that means failure is an error."""
    record = read_all([reply(text("a")), reply(finish=word)])
    outcome = "error" if reason == "error" else "completed"
    assert (record.finish_reason, record.choices[0].finish_reason_raw, record.outcome) == (reason, word, outcome)
    assert (record.error and record.error.type) == (word if reason == "error" else None)


def test_a_finish_without_content_and_one_that_is_repeated() -> None:
    """The last candidate may lack content or parts, and the reason may be on every chunk."""
    bare = answers({"finishReason": "MAX_TOKENS", "index": 0})
    record = read_all([reply(text("a"), finish="STOP"), reply(text("b"), finish="STOP"), bare])
    assert (record.text, record.choices[0].finish_reason_raw) == ("ab", "MAX_TOKENS")
    roleless = answers({"content": {"role": "model"}, "finishReason": "STOP"})
    assert read_all([reply(text("ab")), roleless]).outcome == "completed"


def test_an_unspecified_reason_is_none() -> None:
    """Until a reason is given, the answer is not finished."""
    record = replay([reply(text("a"), finish="FINISH_REASON_UNSPECIFIED"), reply(text("b"), finish=0)], dialect="gemini")
    assert (record.outcome, record.finish_reason) == ("truncated", None)


@pytest.mark.parametrize(
    ("number", "of_vertex", "word"),
    [(1, False, "STOP"), (2, True, "MAX_TOKENS"), (6, False, "LANGUAGE"), (6, True, "BLOCKLIST"),
     (10, False, "MALFORMED_FUNCTION_CALL"), (10, True, "MODEL_ARMOR"), (99, False, "99")],
)  # fmt: skip
def test_enums_as_numbers(number: int, of_vertex: bool, word: str) -> None:
    """Numbers are converted by the table of the service that sent them; an unknown one is kept.

    The raw finish reason is the number, and the response has the word.
    """
    usage = {"promptTokenCount": 1, "promptTokensDetails": [{"modality": 1, "tokenCount": 1}], "trafficType": 1}
    rating = {"category": 1 if of_vertex else 8, "probability": 1}
    chunk = reply(text("a"), finish=number, usage=usage if of_vertex else None, safetyRatings=[rating])
    record = replay([chunk], dialect="gemini")
    (answer,) = record.choices
    assert answer.finish_reason_raw == number
    assert to_response(record)["candidates"][0]["finishReason"] == word
    assert answer.extras["safetyRatings"] == [{"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "NEGLIGIBLE"}]
    if of_vertex:
        assert record.usage is not None
        assert (record.usage.text_input_tokens, record.service_tier) == (1, "on_demand")


@pytest.mark.parametrize("finish", ["STOP", 1])
def test_a_stop_with_calls_is_tool_calls(finish: Any) -> None:
    """Gemini has one word for the end of text and of calls."""
    record = replay([reply(call("f", args={}), finish=finish)], dialect="gemini")
    assert (record.finish_reason, record.choices[0].finish_reason_raw) == ("tool_calls", finish)


@pytest.mark.parametrize(
    ("reason", "raw"),
    [("SAFETY", "SAFETY"), ("JAILBREAK", "JAILBREAK"), (4, "PROHIBITED_CONTENT"), ("OTHER", "BLOCKED"), ("NEW_WORD", "BLOCKED")],
)
def test_a_blocked_prompt(reason: Any, raw: str) -> None:
    """There is no candidate, but a reason: the answer is filtered and complete."""
    feedback = {"blockReason": reason, "blockReasonMessage": "no"}
    usage = {"promptTokenCount": 8, "totalTokenCount": 8}
    chunk = {"promptFeedback": feedback, "usageMetadata": usage, "modelVersion": "m-1", "responseId": "id-1"}
    record = replay([chunk])
    (answer,) = record.choices
    assert (record.outcome, answer.finish_reason, answer.finish_reason_raw) == ("completed", "content_filter", raw)
    assert record.extras["promptFeedback"]["blockReasonMessage"] == "no"
    if reason == "SAFETY":
        assert response_of(record).candidates is None
        assert response_of(record).prompt_feedback is not None


def test_a_prompt_that_is_blocked_after_text() -> None:
    """The text before it is kept."""
    record = read_all([reply(text("some")), {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}])
    assert (record.text, record.finish_reason, record.outcome) == ("some", "content_filter", "completed")


def test_an_error_in_band() -> None:
    """A status, after good chunks or alone: its word is the type of the error, its code the HTTP status."""
    error = {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "t", "snake_name": 1}]}
    for before in ([], [reply(text("some"))]):
        record = replay([*before, {"error": error}])
        assert (record.dialect, record.outcome, record.text) == ("gemini", "error", "some" if before else "")
        assert record.error is not None
        assert (record.error.type, record.error.status, record.error.code) == ("RESOURCE_EXHAUSTED", 429, "429")
        assert (record.error.message, record.error.body, record.error.retryable) == ("slow down", error, True)


@pytest.mark.parametrize("error", ["broken", {"message": "broken"}])
def test_an_error_with_few_fields(error: Any) -> None:
    """Fields that an error lacks are None."""
    record = replay([reply(text("a")), {"error": error}], dialect="gemini")
    assert record.error is not None
    assert (record.error.type, record.error.message, record.error.status) == ("provider_error", "broken", None)


GROUNDING = {
    "webSearchQueries": ["q", "r"],
    "searchEntryPoint": {"renderedContent": "<b>"},
    "groundingChunks": [{"web": {"uri": "https://a.test", "title": "A"}}],
    "groundingSupports": [{"segment": {"endIndex": 2, "text": "so"}, "groundingChunkIndices": [0]}],
}


def test_sources_are_annotations() -> None:
    """Citations, sources and supported segments are listed once, however often they are sent; the metadata is kept."""
    citations = {"citations": [{"uri": "https://c.test", "startIndex": 1}]}
    chunks = [
        reply(text("so"), groundingMetadata={}),
        reply(text(""), groundingMetadata=GROUNDING),
        reply(text(""), finish="STOP", groundingMetadata=GROUNDING, citationMetadata=citations),
    ]
    record = read_all(chunks)
    (answer,) = record.choices
    assert answer.annotations == (
        {"type": "grounding_chunk", "web": {"uri": "https://a.test", "title": "A"}},
        {"type": "grounding_support", "segment": {"endIndex": 2, "text": "so"}, "groundingChunkIndices": [0]},
        {"type": "citation", "uri": "https://c.test", "startIndex": 1},
    )
    assert answer.extras == {"groundingMetadata": GROUNDING, "citationMetadata": citations}
    assert record.usage is not None
    assert record.usage.searches == 2


def test_other_fields_of_a_candidate() -> None:
    """Log probabilities are joined; of ratings, averages and URL metadata the last value is kept."""
    chosen = [{"token": "hel", "logProbability": -0.5}, {"token": "lo", "logProbability": -0.25}]
    ratings = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}]
    read = {"urlMetadata": [{"retrievedUrl": "https://a.test", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}]}
    record = read_all(
        [
            reply(text("hel"), logprobsResult={"chosenCandidates": chosen[:1]}, avgLogprobs=-0.5, safetyRatings=[]),
            reply(
                text("lo"),
                finish="STOP",
                logprobsResult={"chosenCandidates": chosen[1:], "logProbabilitySum": -0.75},
                avgLogprobs=-0.375,
                safetyRatings=ratings,
                urlContextMetadata=read,
                finishMessage="done",
            ),
        ]
    )
    (answer,) = record.choices
    assert answer.logprobs == {"chosenCandidates": chosen}
    assert answer.extras == {
        "avgLogprobs": -0.375,
        "safetyRatings": ratings,
        "urlContextMetadata": read,
        "finishMessage": "done",
        "logprobsResult": {"logProbabilitySum": -0.75},
    }
    (candidate,) = response_of(record).candidates or []
    assert candidate.logprobs_result is not None
    assert len(candidate.logprobs_result.chosen_candidates or []) == 2
    assert candidate.avg_logprobs == -0.375


def test_other_fields_of_the_answer() -> None:
    """The creation time and unknown fields are kept; model and ID are the last ones stated."""
    first = {**answers({"content": {"parts": [text("a")]}}, createTime="2026-01-02T03:04:05.678901Z"), "modelVersion": ""}
    record = replay([first, {**reply(text("b"), finish="STOP"), "newField": {"x": 1}}], dialect="gemini")
    assert record.extras == {"createTime": "2026-01-02T03:04:05.678901Z", "newField": {"x": 1}}
    assert (record.model, record.response_id, record.provider) == ("m-1", "id-1", "google")
    assert read_all([first, reply(text("b"), finish="STOP")]).extras == {"createTime": "2026-01-02T03:04:05.678901Z"}


def test_what_is_not_its_own() -> None:
    """Payloads of other dialects may have some of Gemini's field names."""
    choices = [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]
    assert replay([{"choices": choices, "model_version": "1.0.0"}]).dialect != "gemini"


def test_an_answer_inside_a_response() -> None:
    """Code Assist wraps each answer, and adds fields beside it."""
    record = replay([{"response": reply(text("a"), finish="STOP"), "traceId": "t"}])
    assert (record.dialect, record.text, record.outcome, record.extras) == ("gemini", "a", "completed", {"traceId": "t"})


@pytest.mark.parametrize(
    "nothing",
    [{"candidates": []}, {"candidates": None}, {"usageMetadata": {"trafficType": "ON_DEMAND"}}, answers({})],
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_an_empty_chunk(nothing: dict[str, Any], position: int) -> None:
    """An empty chunk changes nothing at any position, and makes no usage."""
    chunks = [reply(text("hel")), reply(text("lo"), finish="STOP")]
    chunks.insert(position, nothing)
    record = read_all(chunks)
    assert (record.text, record.outcome, record.usage) == ("hello", "completed", None)
