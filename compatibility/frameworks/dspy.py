"""DSPy over OpenAI: pieces of a field, and the chunks of a program without listeners."""

from __future__ import annotations

from ..answers import MODEL, PATH, UNSTATED, spoken
from ..bodies import chat_chunks, sse, words
from ..case import Case, Far, Row


async def _read(far: Far, *, listens: bool) -> None:
    import dspy

    model = dspy.LM(f"openai/{MODEL}", api_key="none", api_base=f"{far.url}/v1", cache=False)
    listeners = [dspy.streaming.StreamListener(signature_field_name="answer")] if listens else None
    with dspy.context(lm=model, track_usage=True):
        await far.aread(dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=listeners)(question="Hi"))


async def _listened(far: Far) -> None:
    await _read(far, listens=True)


async def _chunks(far: Far) -> None:
    await _read(far, listens=False)


_TEXTS = ("[[ ## answer", " ## ]]\n", "Bring", " a", " coat", ".", "\n\n[[ ##", " completed ## ]]")
_COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}
_USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
_BODY = {PATH: sse(chat_chunks(*words(*_TEXTS), model=MODEL, usage=_USAGE))}

ROW = Row(
    "dspy",
    "3.4.1",
    (
        Case(
            "listener",
            _listened,
            _BODY,
            spoken(usage=_COUNTS),
            dict.fromkeys(("provider", "finish_reason"), "pieces of a field, and the prediction, do not state it"),
        ),
        Case("without listeners", _chunks, _BODY, spoken(text="".join(_TEXTS), usage=_COUNTS), UNSTATED),
    ),
)
