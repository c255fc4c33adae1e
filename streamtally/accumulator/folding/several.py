"""Several answers in one stream: a gateway that runs tools, an agent's run, a session.

| chunk | and the answer so far | then |
| --- | --- | --- |
| names its answer (`Chunk.answer`) | has another name | it belongs to the one of that name, which begins if there is none |
| starts an answer (`Chunk.starts`) | has its terminal, or all its finish reasons | the next answer begins |
| has content for a choice, and another response ID | that choice has its finish reason | the next answer begins |
| anything else | | it belongs to the answer so far |

Each answer has a state of its own. In the record text, calls, items and media go on in order, and the last finish reason counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from ...chunks import Chunk, TextDelta, ToolCallDelta
from ...records import Audio, Choice
from .answer import Answer, PartState
from .choices import finished

_PART = tuple(each.name for each in fields(PartState))


def begins_another(answer: Answer, chunk: Chunk) -> bool:
    """Whether a chunk begins another answer than the one so far, by the table above."""
    if chunk.starts:
        return answer.terminal or finished(answer)
    response_id, known = chunk.meta.get("response_id"), (answer.meta or {}).get("response_id")
    if response_id is None or known is None or response_id == known:
        return False
    return any(_continues_finished(answer, delta) for delta in chunk.deltas)


def _continues_finished(answer: Answer, delta: Any) -> bool:
    """Whether a delta has new content for a choice that has its finish reason."""
    if isinstance(delta, TextDelta):
        is_new = bool(delta.text) and not delta.whole
    elif isinstance(delta, ToolCallDelta):
        is_new = not delta.final
    else:
        return False
    choice = answer.choices.get(delta.choice)
    return is_new and choice is not None and choice.finish is not None


def turn_to(answer: Answer, name: str) -> None:
    """Make the answer of this name the one so far. One without a name gets it as long as it has no content."""
    if answer.name == name:
        return
    place = answer.places.pop(name, None)
    if place is not None:
        part = answer.earlier[place]
        for each in _PART:
            mine = getattr(answer, each)
            setattr(answer, each, getattr(part, each))
            setattr(part, each, mine)
        _remember(answer, part, place)
        return
    if answer.name is not None or answer.choices or answer.items or answer.audio:
        begin_next(answer)
    answer.name = name


def _remember(answer: Answer, part: PartState, place: int) -> None:
    if part.name is not None:
        answer.places[part.name] = place


def begin_next(answer: Answer) -> None:
    """Put the answer so far among the earlier ones, and begin the next."""
    part, empty = PartState(), PartState()
    for name in _PART:
        setattr(part, name, getattr(answer, name))
        setattr(answer, name, getattr(empty, name))
    _remember(answer, part, len(answer.earlier))
    answer.earlier.append(part)
    answer.number = len(answer.earlier)
    if model := (part.meta or {}).get("model"):
        answer.meta = {"model": model}  # until the next one states another; a session states it once


def answers(answer: Answer) -> Iterator[Answer]:
    """Each answer of a stream by itself, in the order in which they began."""
    views = [answer]
    for part in answer.earlier:
        view = Answer()
        view.retention = answer.retention
        for name in _PART:
            setattr(view, name, getattr(part, name))
        views.append(view)
    yield from sorted(views, key=lambda one: one.number)


def has_content(answer: Answer) -> bool:
    """Whether an answer has text, reasoning, calls, sound or images, also if they were not kept."""
    if answer.audio is not None or answer.images:
        return True
    items = [] if answer.items is None else answer.items.items
    return any(choice.text or choice.reasoning or choice.refusal or choice.tools for choice in answer.choices.values()) or any(
        piece.text is not None for item in items for piece in item.pieces.values()
    )


def joined_content(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The content fields of a record, from those of each answer."""
    *_, last = found
    images = [image for one in found for image in one["images"]]
    return {
        **last,
        "choices": _joined_choices([one["choices"] for one in found]),
        "output_items": tuple(item for one in found for item in one["output_items"]),
        "audio": _joined_audio([one["audio"] for one in found if one["audio"] is not None]),
        "images": tuple(image.model_copy(update={"index": index}) for index, image in enumerate(images)),
    }


def _joined_choices(answers: list[tuple[Choice, ...]]) -> tuple[Choice, ...]:
    by_index: dict[int, list[Choice]] = {}
    for choices in answers:
        for choice in choices:
            by_index.setdefault(choice.index, []).append(choice)
    last = {choice.index for choice in answers[-1]}
    return tuple(_joined_choice(by_index[index], ended=index in last) for index in sorted(by_index))


def _joined_choice(pieces: list[Choice], *, ended: bool) -> Choice:
    """One choice of several answers; `ended` states whether the last answer has it."""
    if len(pieces) == 1 and ended:
        return pieces[0]
    last = pieces[-1]
    calls = [call for piece in pieces for call in piece.tool_calls]
    return last.model_copy(
        update={
            "role": next((piece.role for piece in pieces if piece.role), None),
            "text": "".join(piece.text for piece in pieces),
            "reasoning": _joined_text([piece.reasoning for piece in pieces]),
            "refusal": _joined_text([piece.refusal for piece in pieces]),
            "reasoning_details": tuple(detail for piece in pieces for detail in piece.reasoning_details),
            "tool_calls": tuple(call.model_copy(update={"index": index}) for index, call in enumerate(calls)),
            "annotations": tuple(note for piece in pieces for note in piece.annotations),
            "logprobs": _joined_logprobs([piece.logprobs for piece in pieces if piece.logprobs is not None]),
            "finish_reason": last.finish_reason if ended else None,
            "finish_reason_raw": last.finish_reason_raw if ended else None,
            "extras": {name: value for piece in pieces for name, value in piece.extras.items()},
        }
    )


def _joined_text(texts: list[str | None]) -> str | None:
    stated = [text for text in texts if text is not None]
    return "".join(stated) if stated else None


def _joined_logprobs(found: list[Any]) -> Any:
    """The lists one after another, of each key; None if there are none."""
    if not found or len(found) == 1:
        return found[0] if found else None
    if all(isinstance(one, list) for one in found):
        return [entry for one in found for entry in one]
    names = {name: None for one in found if isinstance(one, dict) for name in one}
    return {name: [entry for one in found if isinstance(one, dict) for entry in one.get(name) or ()] for name in names}


def _joined_audio(pieces: list[Audio]) -> Audio | None:
    if len(pieces) <= 1:
        return pieces[0] if pieces else None
    data = [piece.data for piece in pieces if piece.data is not None]
    return pieces[-1].model_copy(
        update={
            "data": b"".join(data) if data else None,
            "size": sum(piece.size for piece in pieces),
            "transcript": _joined_text([piece.transcript for piece in pieces]),
        }
    )
