"""Items of the SDKs of single providers, as small classes of ours under the names of theirs. `make far` reads the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from streamtally import StreamRecord, Tally

COUNTS = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
USED = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def made(name: str, /, **fields: Any) -> Any:
    """An object of a class with this dotted name."""
    module, _, own = name.rpartition(".")
    return type(own, (SimpleNamespace,), {"__module__": module})(**fields)


def generated(package: str, items: list[Any]) -> Iterator[Any]:
    """A generator whose code belongs to a package."""
    namespace: dict[str, Any] = {"__name__": f"{package}.client"}
    exec("def stream(items):\n    yield from items", namespace)
    found: Iterator[Any] = namespace["stream"](items)
    return found


def read(items: Any) -> StreamRecord:
    """The record of a stream."""
    with Tally().wrap(items) as stream:
        list(stream)
    record: StreamRecord = stream.record
    return record


def counts(record: StreamRecord) -> dict[str, Any]:
    """The counts that a record has."""
    whole = {} if record.usage is None else record.usage.model_dump(exclude={"raw", "source", "partial"})
    return {name: count for name, count in whole.items() if count is not None}


def _choice(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("groq.types.chat.chat_completion_chunk.ChatCompletionChunk", "groq"),
        ("together.types.chat.chat_completion_chunk.ChatCompletionChunk", "together"),
        ("cerebras.cloud.sdk.types.chat.chat_completion.ChatChunkResponse", "cerebras"),
        ("fireworks.types.chat.chat_completion_chunk.ChatCompletionChunk", "fireworks"),
        ("sambanova.types.chat.chat_completion_stream_response.ChatCompletionStreamResponse", "sambanova"),
        ("writerai.types.chat_completion_chunk.ChatCompletionChunk", "writer"),
        ("zai.types.chat.chat_completion_chunk.ChatCompletionChunk", "zai"),
        ("ai21.models.chat.chat_completion_chunk.ChatCompletionChunk", "ai21"),
        ("gigachat.models.chat.ChatCompletionChunk", "gigachat"),
        ("huggingface_hub.inference._generated.types.chat_completion.ChatCompletionStreamOutput", "huggingface"),
    ],
)
def test_chunks_like_openai_s(name: str, provider: str) -> None:
    """They are read as OpenAI's, from the first one on, and the provider is that of the SDK; times are no tokens."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    times = {"queue_time": 0.1, "total_tokens_per_sec": 9.5, "time_to_first_token": 0.2}
    record = read(
        [
            made(name, id="i", model="m", choices=[_choice(role="assistant", content=None)]),
            made(name, id="i", model="m", choices=[_choice(content="hi", tool_calls=[call])]),
            made(name, id="i", model="m", choices=[_choice("tool_calls")], usage={**USED, **times}, time_info=times),
        ]
    )
    assert (record.dialect, record.provider, record.model) == ("openai.chat", provider, "m")
    assert (record.text, [call.name for call in record.tool_calls], record.finish_reason) == ("hi", ["f"], "tool_calls")
    assert counts(record) == COUNTS


def test_groq_reports_its_usage_twice() -> None:
    """Below `x_groq` and in a chunk of its own: it counts once."""
    name = "groq.types.chat.chat_completion_chunk.ChatCompletionChunk"
    last = made(name, choices=[_choice("stop", content="hi")], x_groq={"id": "r", "usage": USED})
    assert counts(read([last, made(name, choices=[], usage=USED)])) == counts(read([last])) == COUNTS


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("cerebras.cloud.sdk.types.completion.CompletionResponse", "cerebras"),
        ("fireworks.types.completion_chunk.CompletionChunk", "fireworks"),
        ("sambanova.types.completion_stream_response.CompletionStreamResponse", "sambanova"),
        ("together.types.completion_chunk.CompletionChunk", "together"),
    ],
)
def test_completions_like_openai_s(name: str, provider: str) -> None:
    """Texts beside no delta."""
    record = read(
        [
            made(name, id="i", model="m", choices=[{"index": 0, "text": "bo"}]),
            made(name, id="i", model="m", choices=[{"index": 0, "text": "th", "finish_reason": "length"}], usage=USED),
        ]
    )
    assert (record.dialect, record.provider, record.text, record.finish_reason) == (
        "openai.completions",
        provider,
        "both",
        "length",
    )
    assert counts(record) == COUNTS


def test_together_s_completions_may_have_a_delta() -> None:
    """Its text, where there is none beside it, and the finish reason beside the choices."""
    name = "together.types.completion_chunk.CompletionChunk"
    token = {"id": 1, "text": "hi", "logprob": 0, "special": False}
    record = read(
        [
            made(name, token=token, choices=[{"index": 0, "text": "hi", "delta": {"content": "hi"}}], finish_reason=None),
            made(name, token=token, choices=[{"index": 0, "delta": {"content": " you"}}], finish_reason="eos", usage=USED),
        ]
    )
    assert (record.text, record.finish_reason, counts(record)) == ("hi you", "stop", COUNTS)


def test_speech_that_looks_like_chat() -> None:
    """Together's and Z.ai's audio is no text."""
    together = made(
        "together.types.audio_speech_stream_chunk.AudioSpeechStreamChunk", object="audio.tts.chunk", b64="AAEC", model="m"
    )
    zai = "zai.types.audio.audio_speech_chunk.AudioSpeechChunk"
    choices = [
        made("zai.Choice", delta=made("zai.Delta", content=content), finish_reason=why)
        for content, why in (("AAEC", None), ("", "stop"))
    ]
    chunks = [made(zai, choices=[choice], request_id="r", error=None) for choice in choices]
    failed = made(zai, choices=[], request_id="r", error=made("zai.Error", code="1", message="mute"))
    for record in (read([together]), read(chunks)):
        assert record.audio is not None
        assert (record.audio.data, record.text) == (b"\x00\x01\x02", "")
    assert (read([failed]).outcome, read([failed]).error.message) == ("error", "mute")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("CompletionChunk", lambda words: {"value": words}),
        ("ApplicationGenerateContentChunk", lambda words: {"delta": {"content": words, "title": "T"}}),
        ("QuestionResponseChunk", lambda words: {"data": {"answer": words, "sources": []}}),
    ],
)
def test_writer_s_pieces_of_text(name: str, fields: Callable[[str], Mapping[str, Any]]) -> None:
    """Of completions, applications and questions."""
    record = read([made(f"writerai.types.some.{name}", **fields(words)) for words in ("hi", " you")])
    assert (record.text, record.provider, record.usage, record.finish_reason) == ("hi you", "writer", None, None)


def _second_api(*messages: dict[str, Any], **fields: Any) -> Any:
    name = "gigachat.models.chat_completions.ChatCompletionChunk"
    return made(name, event="response.message.delta", messages=list(messages), **fields)


def test_gigachat_s_second_api() -> None:
    """Messages with parts; a whole call of a function in one of them, or beside them; the end beside the messages."""
    details = {"prompt_tokens": 5, "cached_tokens": 4}
    record = read(
        [
            _second_api({"role": "reasoning", "content": [{"text": "rain"}]}, model="m"),
            _second_api({"role": "assistant", "content": [{"text": "a "}, {"text": "coat"}]}),
            _second_api({"role": "assistant", "content": [{"function_call": {"name": "f", "arguments": {"a": 1}}}]}),
            made(
                "gigachat.models.chat_completions.ChatCompletionChunk",
                messages=None,
                finish_reason="function_call",
                usage={"input_tokens": 9, "input_tokens_details": details, "output_tokens": 4, "total_tokens": 13},
            ),
        ]
    )
    assert (record.text, record.reasoning, record.model, record.provider) == ("a coat", "rain", "m", "gigachat")
    assert [(call.name, call.arguments_json) for call in record.tool_calls] == [("f", {"a": 1})]
    assert (record.finish_reason, counts(record)) == ("tool_calls", {**COUNTS, "cache_read_tokens": 4})


def test_gigachat_s_filter() -> None:
    """Its word for a filtered answer."""
    assert read(
        [made("gigachat.models.chat.ChatCompletionChunk", choices=[_choice("blacklist", content="no")])]
    ).finish_reason == ("content_filter")


def _event(**payload: Any) -> dict[str, str]:
    return {"data": json.dumps(payload)}


def _capitals(finish: str = "", **delta: Any) -> dict[str, str]:
    used = {"PromptTokens": 9, "CompletionTokens": 4, "TotalTokens": 13}
    return _event(Id="i", Note="n", Choices=[{"Index": 0, "Delta": delta, "FinishReason": finish}], Usage=used)


def test_hunyuan_s_events() -> None:
    """JSON in mappings that the SDK's own generator yields, in OpenAI's form but for the names; the end marker comes too."""
    arguments = '{"Name": "Ulm"}'
    call = {"Index": 0, "Id": "c", "Type": "function", "Function": {"Name": "f", "Arguments": arguments}}
    items = [
        {},
        _capitals(Role="assistant", ReasoningContent="rain"),
        _capitals(Content="a coat", ToolCalls=[call]),
        _capitals("tool_calls", Content=""),
        {"data": "[DONE]"},
    ]
    record = read(generated("tencentcloud", items))
    assert (record.dialect, record.provider, record.response_id) == ("openai.chat", "tencent", "i")
    assert (record.text, record.reasoning, record.finish_reason) == ("a coat", "rain", "tool_calls")
    assert [(call.name, call.arguments) for call in record.tool_calls] == [("f", arguments)]
    assert (counts(record), record.extras) == (COUNTS, {"Note": "n"})


def test_hunyuan_s_errors_and_rubbish() -> None:
    """A failure in the stream, and data that is no JSON, which is an error as everywhere."""
    record = read(generated("tencentcloud", [_capitals(Content="a"), _event(ErrorMsg={"Msg": "gone", "Code": 4001})]))
    assert (record.text, record.error and record.error.message, record.error and record.error.code) == ("a", "gone", "4001")
    answered = read(generated("tencentcloud", [_event(Response={"Error": {"Code": "No", "Message": "gone"}, "RequestId": "r"})]))
    assert (answered.outcome, answered.error and answered.error.code) == ("error", "No")
    broken = read(
        generated("tencentcloud", [_capitals(Content="a"), {"data": "{"}, {"data": "3"}, {"event": "e"}, _capitals("stop")])
    )
    assert (broken.text, broken.finish_reason) == ("a", "stop")


def _response(**body: Any) -> Any:
    return made("qianfan.resources.typing.QfResponse", code=200, headers={"a": "b"}, body=body, statistic={"total_latency": 1})


def test_qianfan_s_two_apis() -> None:
    """A piece of the result until the end is stated; or OpenAI's format."""
    first = read([_response(id="i", object="chat.completion", result="a ", is_end=False, is_truncated=False, usage=USED),
                  _response(id="i", result="coat", is_end=True, need_clear_history=False, usage=USED)])  # fmt: skip
    second = read([_response(id="i", object="chat.completion.chunk", choices=[_choice(content="a coat")]),
                   _response(id="i", object="chat.completion.chunk", choices=[_choice("stop")], usage=USED)])  # fmt: skip
    for record in (first, second):
        assert (record.text, record.finish_reason, record.provider, counts(record)) == ("a coat", "stop", "baidu", COUNTS)
        assert (record.dialect, record.response_id) == ("openai.chat", "i")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"is_end": True}, "stop"),
        ({"is_end": True, "is_truncated": True}, "length"),
        ({"is_end": True, "finish_reason": "content_filter"}, "content_filter"),
        ({"is_end": True, "function_call": {"name": "f", "arguments": "{}"}}, "tool_calls"),
        ({"is_end": False, "finish_reason": "normal"}, None),
    ],
)
def test_how_qianfan_ends(body: dict[str, Any], reason: str | None) -> None:
    """By what is stated beside the end."""
    assert read([_response(result="a", **body)]).finish_reason == reason


def test_qianfan_s_error() -> None:
    """A number and a text in a body of status 200."""
    record = read([_response(error_code=336003, error_msg="gone")])
    assert (record.outcome, record.error and record.error.code, record.error and record.error.message) == (
        "error",
        "336003",
        "gone",
    )


def _result(text: str, output: int, prompt: int = 0, stop: str = "not_finished") -> dict[str, Any]:
    result = {"generated_text": text, "generated_token_count": output, "input_token_count": prompt, "stop_reason": stop}
    return {"model_id": "m", "created_at": "now", "results": [result]}


def test_watsonx_s_results() -> None:
    """The tokens of the input come first, those of the output last; the generator's code tells the provider."""
    items = [_result("", 0, 9), _result("a ", 2), _result("coat", 4, stop="max_tokens")]
    record = read(generated("ibm_watsonx_ai", items))
    assert (record.dialect, record.provider, record.model) == ("openai.completions", "watsonx", "m")
    assert (record.text, record.finish_reason) == ("a coat", "length")
    assert counts(record) == {"input_tokens": 9, "output_tokens": 4}


def test_watsonx_s_chat_and_texts() -> None:
    """Mappings in OpenAI's format are read as such, and pieces of text as text."""
    chat = read(generated("ibm_watsonx_ai", [{"model_id": "m", "choices": [_choice("stop", content="hi")], "usage": USED}]))
    assert (chat.dialect, chat.provider, chat.text, counts(chat)) == ("openai.chat", "watsonx", "hi", COUNTS)
    texts = read(generated("ibm_watsonx_ai", ["h", "i"]))
    assert (texts.dialect, texts.provider, texts.text) == ("text", "watsonx", "hi")


class Kind(Enum):
    OUTPUT = "output"
    LOGS = "logs"
    DONE = "done"


def _replicated(kind: Kind, data: Any) -> Any:
    return made("replicate.stream.ServerSentEvent", event=kind, data=data, id="1", retry=None)


def test_replicate_s_events() -> None:
    """The data of an output is text, whatever it looks like; the logs are none; the end has no reason but a failure."""
    pieces = [_replicated(Kind.OUTPUT, words) for words in ('{"a"', ": 1}", "\n[DONE]", "data: x")]
    record = read([*pieces, _replicated(Kind.LOGS, "warm"), _replicated(Kind.DONE, "{}")])
    assert (record.text, record.finish_reason, record.provider) == ('{"a": 1}\n[DONE]data: x', "stop", "replicate")
    assert (record.extras, record.usage, record.outcome) == ({"logs": "warm"}, None, "completed")


@pytest.mark.parametrize("data", ['{"reason": "canceled"}', '{"reason": "error"}'])
def test_a_prediction_that_does_not_succeed(data: str) -> None:
    """Its reason is the error's."""
    record = read([_replicated(Kind.OUTPUT, "hi"), _replicated(Kind.DONE, data)])
    assert (record.text, record.outcome, record.error and record.error.code) == ("hi", "error", json.loads(data)["reason"])


def test_replicate_s_files() -> None:
    """A file comes as an object, and is no text."""

    class FileOutput:
        __module__ = "replicate.helpers"

        def __str__(self) -> str:
            return "https://files.test/1.png"

    record = read([_replicated(Kind.OUTPUT, FileOutput()), _replicated(Kind.DONE, "broken")])
    assert (record.text, record.outcome) == ("", "completed")
    assert record.choices[0].annotations == ({"type": "file", "url": "https://files.test/1.png"},)


class FinishReason(StrEnum):
    __module__ = "aleph_alpha_client.chat"
    STOP = "stop"


_ALEPH = "aleph_alpha_client"


def test_aleph_alpha_s_chat() -> None:
    """The finish reason is an item that is a text too, and no text of the answer."""
    call = made(
        f"{_ALEPH}.chat.ToolCall", id="c", type="function", function=made(f"{_ALEPH}.chat.FunctionCall", name="f", arguments="{}")
    )
    record = read(
        [
            made(f"{_ALEPH}.chat.ChatStreamChunk", content="", role="assistant", tool_calls=None),
            made(f"{_ALEPH}.chat.ChatStreamChunk", content="hi", role=None, tool_calls=None),
            call,
            FinishReason.STOP,
            made(f"{_ALEPH}.chat.Usage", **USED),
        ]
    )
    assert (record.dialect, record.provider) == ("openai.chat", "aleph-alpha")
    assert (record.text, record.finish_reason) == ("hi", "tool_calls")
    assert [(call.name, call.arguments_json) for call in record.tool_calls] == [("f", {})]
    assert counts(record) == COUNTS


def test_aleph_alpha_s_completions() -> None:
    """Of two choices; the counts are those of both."""

    def piece(index: int, words: str) -> Any:
        return made(f"{_ALEPH}.completion.StreamChunk", index=index, log_probs=None, completion=words, raw_completion=None)

    def end(index: int, reason: str) -> Any:
        return made(f"{_ALEPH}.completion.StreamSummary", index=index, model_version="m", finish_reason=reason)

    summary = made(
        f"{_ALEPH}.completion.CompletionSummary", optimized_prompt=None, num_tokens_prompt_total=9, num_tokens_generated=4
    )
    record = read([piece(0, "a"), piece(1, "b"), piece(0, "c"), end(0, "maximum_tokens"), end(1, "end_of_text"), summary])
    assert [choice.text for choice in record.choices] == ["ac", "b"]
    assert (record.finish_reasons, record.model) == (("length", "stop"), "m")
    assert counts(record) == {"input_tokens": 9, "output_tokens": 4}


@pytest.mark.parametrize("package", ["huggingface_hub", "groq", "ibm_watsonx_ai", "replicate"])
def test_texts_of_an_sdk_s_generator(package: str) -> None:
    """The code of the generator tells the provider, sync or async; that of the user's own generator tells nothing."""
    found = read(generated(package, ["h", "i"]))
    assert (found.text, found.dialect) == ("hi", "text")
    assert found.provider is not None
    assert read(generated("mine", ["h", "i"])).provider is None


def _generation(finish: str = "null", **message: Any) -> Any:
    """An item of DashScope's first interface, which is a mapping."""
    kind = type("GenerationResponse", (dict,), {"__module__": "dashscope.api_entities.dashscope_response"})
    used = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
    return kind(
        status_code=200,
        request_id="r",
        output={"choices": [{"index": 0, "message": message, "finish_reason": finish}]},
        usage=used,
    )


def _merging(name: str, items: list[Any]) -> Iterator[Any]:
    """A generator of DashScope's SDK with this name."""
    namespace: dict[str, Any] = {"__name__": "dashscope.aigc.generation"}
    exec(f"def {name}(items):\n    yield from items", namespace)
    found: Iterator[Any] = namespace[name](items)
    return found


class Chats(list[Any]):
    """A stream of DashScope's second interface."""

    __module__ = "dashscope.v2.resources.chat.completions"

    def __init__(self, *items: Any, merge: bool) -> None:
        super().__init__(items)
        self._merge, self._server_cumulative = merge, False


def _chat(name: str, words: str, finish: str | None = None) -> Any:
    choice = {"index": 0, "delta": {"content": words}, "finish_reason": finish}
    return made(f"dashscope.{name}.ChatCompletionChunk", request_id="r", model="m", choices=[choice], code=None, message=None)


def test_dashscope_s_snapshots() -> None:
    """What joins pieces in the SDK is known by its name or attributes, so that the first snapshots are none in doubt."""
    short = [_generation(content="1"), _generation(content="11"), _generation("stop", content="11")]
    assert read(_merging("_merge_generation_response", short)).text == "11"
    assert read(_merging("stream", short)).text == "11111"
    items = [_chat("v2.types.completions", words) for words in ("1", "11", "111")]
    assert read(Chats(*items, merge=True)).text == "111"
    assert read(Chats(*items, merge=False)).text == "111111"


def test_dashscope_s_chunks_of_one_name() -> None:
    """Those of the second interface are its own format, those of the first are OpenAI's."""
    first = read([_chat("api_entities.chat_completion_types", "hi", "stop")])
    second = read([_chat("v2.types.completions", "hi", "stop")])
    assert [(one.dialect, one.provider, one.text) for one in (first, second)] == [
        ("openai.chat", "alibaba", "hi"),
        ("dashscope", "alibaba", "hi"),
    ]


def test_what_huggingface_s_client_does_not_know() -> None:
    """It is an attribute of the nested object, and not among its items."""

    class Delta(dict[str, Any]):
        __module__ = "huggingface_hub.inference"

    class ChatCompletionStreamOutput(dict[str, Any]):
        __module__ = "huggingface_hub.inference"

    delta = Delta(content="hi")
    delta.reasoning_content = "rain"  # type: ignore[attr-defined]
    item = ChatCompletionStreamOutput(object="chat.completion.chunk", choices=[{"index": 0, "delta": {"content": "hi"}}])
    item.choices = [{"index": 0, "delta": delta}]  # type: ignore[attr-defined]
    record = read([item])
    assert (record.text, record.reasoning, record.provider) == ("hi", "rain", "huggingface")
