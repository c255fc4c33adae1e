"""instructor: objects of the user's own class, of which each has all fields so far. They are kept as they are."""

from __future__ import annotations

from typing import Any

from ..answers import CALLED, MODEL, called
from ..case import Case, Far, Row


def _partial(far: Far) -> None:
    import instructor
    from openai import OpenAI
    from pydantic import BaseModel

    class look_up(BaseModel):
        """The weather of a city."""

        city: str
        finish_reason: str = ""

    client: Any = instructor.from_openai(OpenAI(api_key="none", base_url=f"{far.url}/v1"))
    messages = [{"role": "user", "content": "Hi"}]
    far.read(client.chat.completions.create_partial(model=MODEL, response_model=look_up, messages=messages))


_REASON = "an object of the user's class has its own fields alone"

ROW = Row(
    "instructor",
    "1.17.0",
    (
        Case(
            "create_partial",
            _partial,
            CALLED,
            called(),
            dict.fromkeys(("provider", "tool_calls", "finish_reason", "usage", "model"), _REASON),
        ),
    ),
)
