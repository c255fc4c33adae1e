"""Several answers in one stream: each is a part, and the record is their sum."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Accumulator, Outcome, StreamRecord, Tally, collect, replay
from streamtally.accumulator.folding import Answer
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import DONE

Answers = Callable[[int, str, int], list[dict[str, Any]]]


def responses(number: int, text: str, tokens: int) -> list[dict[str, Any]]:
    """An answer of the Responses API, whose items begin at 0."""
    response = {"id": f"resp_{number}", "object": "response", "model": "gpt-5", "status": "in_progress", "output": []}
    said = {"id": f"msg_{number}", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    usage = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1}
    return [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": {**said, "content": []}},
        {"type": "response.output_text.delta", "item_id": said["id"], "output_index": 0, "content_index": 0, "delta": text},
        {"type": "response.completed", "response": {**response, "status": "completed", "output": [said], "usage": usage}},
    ]


def messages(number: int, text: str, tokens: int) -> list[dict[str, Any]]:
    """An answer of the Messages API."""
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": []}
    return [
        {"type": "message_start", "message": {**message, "usage": {"input_tokens": tokens, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]


def chat(number: int, text: str, tokens: int) -> list[dict[str, Any]]:
    """An answer of chat."""
    head = {"id": f"chat_{number}", "object": "chat.completion.chunk", "model": "gpt-4o"}
    usage = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}
    return [
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**head, "choices": [], "usage": usage},
    ]


KINDS: list[Answers] = [responses, messages, chat]
each_kind = pytest.mark.parametrize("answers", KINDS)


@each_kind
@given(st.lists(st.tuples(st.text("abc ", min_size=1, max_size=5), st.integers(1, 1000)), min_size=2, max_size=4))
def test_two_answers_are_the_sum_of_their_records(answers: Answers, said: list[tuple[str, int]]) -> None:
    """Text goes on, usage and cost are sums, and each part says what its own record would."""
    streams = [answers(number, text, tokens) for number, (text, tokens) in enumerate(said)]
    alone = [replay(stream) for stream in streams]
    record = replay([payload for stream in streams for payload in stream])
    assert record.text == "".join(each.text for each in alone)
    assert record.output_items == tuple(item for each in alone for item in each.output_items)
    assert record.usage is not None
    assert record.usage.input_tokens == sum(tokens for _, tokens in said)
    assert record.cost.usd == sum(each.cost.usd or 0 for each in alone)
    assert (record.outcome, record.finish_reason, record.cost.complete) == (Outcome.COMPLETED, "stop", True)
    for part, each in zip(record.parts, alone, strict=True):
        assert (part.usage, part.cost, part.model, part.response_id) == (each.usage, each.cost, each.model, each.response_id)
        assert part.finish_reason == each.finish_reason
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record


@each_kind
def test_one_answer_has_no_parts(answers: Answers) -> None:
    """Nothing is repeated where there is one answer."""
    assert replay(answers(1, "a", 5)).parts == ()


@each_kind
def test_an_answer_that_is_cut(answers: Answers) -> None:
    """The end of the first does not hide that the second has none."""
    second = answers(2, "b", 7)
    record = replay([*answers(1, "a", 5), *second[: 3 if len(second) > 3 else 1]])
    assert (record.outcome, record.text, record.finish_reason) == (Outcome.TRUNCATED, "ab", None)
    assert record.usage is not None
    assert record.usage.partial
    assert [part.finish_reason for part in record.parts] == ["stop", None]


@each_kind
def test_wrapped_and_keyed(answers: Answers) -> None:
    """A wrapped stream has both; a keyed one ends with the first answer, unless it was opened for several."""
    payloads = [*answers(1, "a", 5), *answers(2, "b", 7)]
    assert collect(payloads).text == "ab"
    tally = Tally()
    tally.open("several", several=True)
    for index in reversed(range(len(payloads))):
        tally.add("several", payloads[index], index=index)
    record = tally.finish("several")
    assert (record.text, len(record.parts), record.missing) == ("ab", 2, ())


def test_what_follows_the_first_answer_is_late() -> None:
    """A plain keyed stream ends at the first end marker."""
    accumulator = Accumulator()
    made = [accumulator.add("r", payload) for payload in [*responses(1, "a", 5), *responses(2, "b", 7)]]
    assert [record.text for record in made if record is not None] == ["a"]
    assert accumulator.late == 4


@each_kind
@given(data=st.data())
def test_parts_travel_and_arrive_in_any_order(answers: Answers, data: st.DataObject) -> None:
    """Split over two workers, in any order: the same record as in one."""
    payloads = list(enumerate([*answers(1, "a", 5), *answers(2, "b", 7), *answers(3, "c", 9)]))
    shuffled = data.draw(st.permutations(payloads))
    cut = data.draw(st.integers(0, len(payloads)))
    workers = [Accumulator(clock=FakeClock()) for _ in range(3)]
    for worker, part in zip(workers, (payloads, shuffled[:cut], shuffled[cut:]), strict=True):
        worker.open("r", several=True)
        for index, payload in part:
            worker.add("r", payload, index=index, at=1_000.0 + index)
    alone, first, second = workers
    first.merge("r", second.dump("r"))
    local = {"duplicates", "conflicts", "late"}
    assert first.finish("r").model_dump(exclude=local) == alone.finish("r").model_dump(exclude=local)


def test_what_begins_no_answer() -> None:
    """Another ID without content, content of a choice that goes on, and a whole message that repeats what came."""
    first, finish, usage = chat(1, "a", 5)
    other = {"id": "chat_2", "object": "chat.completion.chunk", "model": "gpt-4o"}
    second_choice = {**other, "choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]}
    whole = {
        **other,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}],
    }
    for extra in ({**other, "choices": []}, second_choice, whole):
        record = replay([first, finish, extra, usage, DONE])
        assert (record.parts, record.text, record.outcome) == ((), "a", Outcome.COMPLETED)


def test_a_failed_answer_that_was_made_again() -> None:
    """The outcome is that of the last answer; the error stays with its own."""
    failed = {"id": "resp_1", "object": "response", "model": "gpt-5", "status": "failed", "output": []}
    error = {"code": "server_error", "message": "no"}
    record = replay([{"type": "response.failed", "response": {**failed, "error": error}}, *responses(2, "b", 7)])
    assert (record.outcome, record.error, record.text) == (Outcome.COMPLETED, None, "b")
    assert record.parts[0].error is not None
    assert record.parts[0].error.message == "no"


def test_the_state_of_an_answer_without_others_is_small() -> None:
    """Nothing of the mechanism travels where there is one answer."""
    assert Answer().dump() == {"retention": [True, 0]}
