"""A new field of the state is one line in `answer.py`: it is dumped, loaded, copied and merged, and its kind decides the rest.

The line is added to a copy of the package, which another interpreter uses.
"""

import filecmp
import shutil
from pathlib import Path

import pytest

import streamtally
from tests.waiting import run_python

PACKAGE = Path(streamtally.__file__).parent
ANSWER = Path("accumulator", "folding", "answer.py")
BESIDE = "    finish_number: int | None = kind.fact()\n"

PROGRAM = """
import json, sys
from streamtally import Tally
from streamtally.accumulator.folding import Answer
from streamtally.accumulator.folding.answer import ChoiceState

folder, value, left = sys.argv[1], *map(json.loads, sys.argv[2:])
assert sys.modules["streamtally"].__file__.startswith(folder)

def made(state):
    return state.choices[0].stop_sequence

state = Answer()
state.choices[0] = ChoiceState()
assert made(state) is None
state.choices[0].stop_sequence = value
dumped = json.loads(json.dumps(state.dump()))
assert value in dumped["choices"][0][1].values(), dumped
loaded, copied = Answer.load(dumped), state.copy()
assert made(loaded) == made(copied) == value
copied.remove_content()
assert (made(state), made(copied)) == (value, left)

def chunk(**delta):
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}

here, there = Tally().accumulator, Tally().accumulator
here.add("r", chunk(role="assistant"), index=0)
here._keyed.get("r").stream.fold.answer.choices[0].stop_sequence = value
there.merge("r", here.dump("r"))
there.add("r", chunk(content="hi"), index=1)
assert made(there._keyed.get("r").stream.fold.answer) == value
assert there.finish("r").text == "hi"
"""


@pytest.mark.parametrize(
    ("line", "value", "left"),
    [
        ("stop_sequence: str | None = kind.fact()", '"END"', '"END"'),
        ("stop_sequence: Json = kind.content()", '{"word": "END"}', "null"),
    ],
    ids=["fact", "content"],
)
def test_a_new_field_needs_one_line(tmp_path: Path, line: str, value: str, left: str) -> None:
    """Whether it is content decides whether it survives `remove_content`; no other file is touched."""
    copy = tmp_path / "streamtally"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    text = (copy / ANSWER).read_text()
    assert text.count(BESIDE) == 1
    (copy / ANSWER).write_text(text.replace(BESIDE, f"{BESIDE}    {line}\n"))
    done = run_python("-c", PROGRAM, str(tmp_path), value, left, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    files = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    assert [path for path in files if not filecmp.cmp(PACKAGE / path, copy / path, shallow=False)] == [ANSWER]
