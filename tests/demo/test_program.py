"""The demo checks itself: what is not as promised is printed, and makes it fail."""

from dataclasses import replace

import pytest

from streamtally import Outcome, StreamRecord
from streamtally.demo import comparison, program
from streamtally.demo.comparison import Comparison, Stage
from streamtally.demo.metrics import Sample
from streamtally.demo.streams import end_to_end
from streamtally.testing import FakeProvider


def unfounded(_: Stage) -> Comparison:
    """A comparison whose claim does not hold."""
    fields = {"request_id": "r1", "stream_type": "responses", "dialect": "openai.responses"}
    return Comparison(None, StreamRecord.model_validate(fields), "the same", "the same", holds=False)


def test_what_is_not_as_promised_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A claim without ground, an ending that is another, a reader who stays, metrics that disagree: each has a line."""
    cut = next(scene for scene in end_to_end() if scene.expected is Outcome.TRUNCATED)
    monkeypatch.setattr(comparison, "CASES", {"a claim": unfounded})
    monkeypatch.setattr(program, "end_to_end", lambda: (replace(cut, expected=Outcome.COMPLETED),))
    monkeypatch.setattr(program, "scrape", lambda _: [Sample("streamtally_streams_total", {}, 7.0)])
    monkeypatch.setattr(FakeProvider, "wait_closed_early", lambda *_: False)
    assert not program.run(pace=0.05)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not as promised: ")]
    assert printed == [
        "not as promised: “a claim”, see above",
        "not as promised: “chat, cut short” is not the record of what was played",
        "not as promised: the provider still plays to a reader who has left",
        "not as promised: the metrics do not agree with the records",
    ]
