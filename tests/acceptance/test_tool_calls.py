"""T31: parallel tool calls stay separate, for all ways in which servers number them."""

import json
from typing import Any

import openai
import pytest

from streamtally.testing import FakeProvider, Scenario, scenarios
from streamtally.testing.wire import event
from tests.acceptance.calls import CHAT
from tests.acceptance.telemetry import REASONS, Telemetry
from tests.streams.sources import chat_chunk


def _piece(arguments: str, *, index: int | None = None, id: str | None = None, name: str | None = None) -> dict[str, Any]:  # noqa: A002
    fields = {"index": index, "id": id, "type": "function" if id else None}
    function = {name: value for name, value in {"name": name, "arguments": arguments}.items() if value is not None}
    return {"function": function, **{name: value for name, value in fields.items() if value is not None}}


def _together(*pieces: dict[str, Any]) -> dict[str, Any]:
    return chat_chunk({"tool_calls": list(pieces)})


NUMBERED: dict[str, list[dict[str, Any]]] = {
    "interleaved by index": [
        _together(_piece("", index=0, id="a", name="sun")),
        _together(_piece("", index=1, id="b", name="rain")),
        _together(_piece('{"x"', index=0)),
        _together(_piece('{"y"', index=1)),
        _together(_piece(": 1}", index=0)),
        _together(_piece(": 2}", index=1)),
    ],
    "several in one chunk": [
        _together(_piece('{"x"', index=0, id="a", name="sun"), _piece('{"y"', index=1, id="b", name="rain")),
        _together(_piece(": 1}", index=0), _piece(": 2}", index=1)),
    ],
    "no index, an id opens a call": [
        _together(_piece('{"x"', id="a", name="sun")),
        _together(_piece(": 1}")),
        _together(_piece('{"y"', id="b", name="rain")),
        _together(_piece(": 2}")),
    ],
    "the same index with a new id": [
        _together(_piece('{"x"', index=0, id="a", name="sun")),
        _together(_piece(": 1}", index=0)),
        _together(_piece('{"y"', index=0, id="b", name="rain")),
        _together(_piece(": 2}", index=0)),
    ],
}


@pytest.mark.parametrize("way", NUMBERED)
@pytest.mark.parametrize("through", ["SDK", "payloads"])
def test_t31_two_calls_stay_two(
    telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider, way: str, through: str
) -> None:
    """Each call has its own ID, name and complete arguments."""
    payloads = [*NUMBERED[way], chat_chunk({}, "tool_calls")]
    provider.enqueue(Scenario(tuple(map(event, payloads))))
    source = openai_client.chat.completions.create(**CHAT)
    with telemetry.tally.wrap(source if through == "SDK" else payloads) as stream:
        list(stream)
    source.close()
    calls = [(call.id, call.name, call.arguments_json) for call in stream.record.tool_calls]
    assert calls == [("a", "sun", {"x": 1}), ("b", "rain", {"y": 2})]
    assert telemetry.attributes()[REASONS] == ("tool_calls",)


def test_t31_as_openai_s_servers_send_them(telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider) -> None:
    """Three calls, whose arguments are interleaved and split anywhere."""
    wanted = [{"city": f"São Paulo {number}", "unit": "°C"} for number in range(3)]
    calls = [scenarios.Call(f"tool_{number}", json.dumps(one)) for number, one in enumerate(wanted)]
    provider.enqueue(scenarios.chat(tool_calls=calls))
    with telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT)) as stream:
        list(stream)
    assert [call.arguments_json for call in stream.record.tool_calls] == wanted
    assert [call.name for call in stream.record.tool_calls] == ["tool_0", "tool_1", "tool_2"]
