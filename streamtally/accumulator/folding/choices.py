"""The fold of answers: chat, text completion, and every dialect that has choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...chunks import DetailDelta, FinishDelta, PayloadDelta, TextDelta, ToolCallDelta
from ...dialects import Vocabulary
from ...json_values import Json
from ...records import Choice, FinishReason
from . import snapshots, tool_calls
from .answer import Answer, ChoiceState, DistinctState, ListState
from .digest import digest_of
from .reasoning import fold_reasoning_details, reasoning_details


def choice_at(answer: Answer, index: int) -> ChoiceState:
    """The choice of this index, made where there is none."""
    choice = answer.choices.get(index)
    if choice is None:
        choice = answer.choices[index] = ChoiceState()
    return choice


def fold_text(answer: Answer, delta: TextDelta) -> None:
    """Fold words of a choice; an empty text only makes the choice."""
    choice = choice_at(answer, delta.choice)
    if delta.text:
        snapshots.fold_text(answer, choice, delta.channel, delta.text, whole=delta.whole)


def fold_finish(answer: Answer, delta: FinishDelta) -> None:
    """Set why a choice ended; the last word wins."""
    choice = choice_at(answer, delta.choice)
    if delta.fallback and choice.finish is not None:
        return
    choice.finish = delta.reason
    choice.finish_number = choice.finish_number if delta.number is None else delta.number


def fold_tool_call(answer: Answer, delta: ToolCallDelta) -> None:
    """Add a piece to a tool call of a choice."""
    tool_calls.fold_tool_call(answer, choice_at(answer, delta.choice), delta)


def fold_payload(answer: Answer, delta: PayloadDelta) -> None:
    """Keep a payload of unknown format, or an event of unknown type."""
    known = answer.payloads if delta.event is None else answer.events.get(delta.event)
    known = keep_distinct(answer, known, [delta.value], repeats=delta.repeats)
    if delta.event is None:
        answer.payloads = known
    elif known is not None:
        answer.events[delta.event] = known


def fold_detail(answer: Answer, delta: DetailDelta) -> None:
    """Fold a role, log probabilities, annotations, reasoning details, or whatever else a choice has."""
    choice = choice_at(answer, delta.choice)
    if delta.final and (
        (delta.field == "logprobs" and choice.logprobs) or (delta.field == "reasoning_details" and choice.details)
    ):
        return
    _DETAILS[delta.field](answer, choice, delta.value)


def _fold_role(_: Answer, choice: ChoiceState, value: Json) -> None:
    choice.role = value or choice.role


def _fold_logprobs(answer: Answer, choice: ChoiceState, value: Json) -> None:
    """Append to the lists (top level, or by key); of anything else every value is appended."""
    for key, item in value.items() if isinstance(value, Mapping) else (("", value),):
        known = choice.logprobs.setdefault(key, ListState())
        if item is not None:
            known.items = answer.retention.extend(known.items, list(item) if isinstance(item, list | tuple) else [item])


def _fold_annotations(answer: Answer, choice: ChoiceState, value: Json) -> None:
    """Append annotations that are new: some servers repeat all citations on every chunk."""
    choice.annotations = keep_distinct(answer, choice.annotations, [item for item in value if isinstance(item, Mapping)])


def keep_distinct(
    answer: Answer, known: DistinctState | None, values: list[Json], *, repeats: bool = False
) -> DistinctState | None:
    """Append the values that did not come before, or with `repeats` all; returns the state, which is made where there is none."""
    if not answer.retention.keep:
        return known
    known = DistinctState() if known is None else known
    fresh = list(values) if repeats else []
    for value in () if repeats else values:
        if (digest := digest_of(value)) not in known.seen:
            known.seen[digest] = None
            fresh.append(value)
    known.items = answer.retention.extend(known.items, fresh)
    return known


def _fold_extras(answer: Answer, choice: ChoiceState, value: Json) -> None:
    choice.extras = {} if choice.extras is None else choice.extras
    answer.retention.merge(choice.extras, value)


_DETAILS: Mapping[str, Callable[[Answer, ChoiceState, Json], None]] = {
    "role": _fold_role,
    "logprobs": _fold_logprobs,
    "annotations": _fold_annotations,
    "reasoning_details": fold_reasoning_details,
    "extras": _fold_extras,
}


def finished(answer: Answer) -> bool:
    """Whether every choice that was seen has its finish reason."""
    return bool(answer.choices) and all(choice.finish is not None for choice in answer.choices.values())


def choices(answer: Answer, vocabulary: Vocabulary, *, kept: bool = True, waits: bool = False) -> tuple[Choice, ...]:
    """The choices of a record, in order of index; `vocabulary` normalises the provider's finish reasons.

    Where content is not `kept`, a call without arguments may have had some. `waits`: something else waits for the caller, as tool
    calls do.
    """
    ordered = sorted(answer.choices.items(), key=lambda item: item[0])
    keep = answer.retention.keep
    return tuple(_choice(index, choice, vocabulary, kept=kept, keep=keep, waits=waits) for index, choice in ordered)


def _choice(index: int, choice: ChoiceState, vocabulary: Vocabulary, *, kept: bool, keep: bool, waits: bool) -> Choice:
    calls = tool_calls.tool_calls(choice, ended=choice.finish is not None and kept)
    return Choice(
        index=index,
        role=choice.role,
        text="" if choice.text is None else choice.text.value(),
        reasoning=None if choice.reasoning is None else choice.reasoning.value(),
        reasoning_details=reasoning_details(choice),
        refusal=None if choice.refusal is None else choice.refusal.value(),
        tool_calls=calls,
        annotations=tuple((choice.annotations and choice.annotations.items) or ()),
        logprobs=_logprobs(choice, keep=keep),
        finish_reason=normalised(choice.finish, vocabulary, calls=bool(calls) or waits),
        finish_reason_raw=choice.finish if choice.finish_number is None else choice.finish_number,
        extras=choice.extras or {},
    )


def normalised(finish: str | None, vocabulary: Vocabulary, *, calls: bool = False) -> FinishReason | None:
    """The provider's finish reason in our vocabulary; None if its word is not known, or states that the answer was cancelled.

    A word that maps to None only states that the answer is complete: it is "tool_calls" with `calls`, else "stop".
    """
    if finish is None:
        return None
    reason = vocabulary.get(finish.lower(), "cancelled") or ("tool_calls" if calls else "stop")
    return None if reason == "cancelled" else reason


def _logprobs(choice: ChoiceState, *, keep: bool) -> Json:
    lists = {key: known.items for key, known in choice.logprobs.items()}
    any_kept = bool(lists) if keep else any(items is not None for items in lists.values())
    return lists.get("", lists) if any_kept else None
