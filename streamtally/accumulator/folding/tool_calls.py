"""The fold of tool calls: which call a piece belongs to, and when a call is complete.

Servers leave out any of index, id and name, and repeat them. A piece is routed by the first rule that holds:

| piece has | and | it belongs to |
| --- | --- | --- |
| a position | no call there | a new call |
| a position and an id | a call of this id is there | that call |
| | the last call there has no id, or the piece has no name and that call's arguments are not complete | that call |
| | else | a new call: another id at the same position |
| a position, no id | it begins a call (a name, and arguments that start an object), and the call there is over | a new call |
| | else | the call there |
| an id, no position | a call of this id, unless the piece is a whole call once more and that call is complete | that call |
| | else | a new call |
| a name only | the last call is named, and did not state that it continues under this name | a new call |
| neither | | the last call, or a new one if there is none |

A call is over when another name comes, or its arguments are a whole JSON object. A scanner finds that, which looks at each
character once: `CallState.scan` is [characters scanned, nesting depth, whether inside a string, whether anything but blanks
came], and a depth of -1 means that the arguments will never be a whole object.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ...chunks import ToolCallDelta
from ...json_values import Json
from ...records import ToolCall
from .answer import Answer, CallState, ChoiceState, ToolCallsState
from .arguments import assembled, fold_pieces
from .growing import Text


def fold_tool_call(answer: Answer, choice: ChoiceState, delta: ToolCallDelta) -> None:
    """Add a piece to the tool call that it belongs to."""
    if choice.tools is None:
        choice.tools = ToolCallsState()
    tools = choice.tools
    number = _route(tools, delta)
    if number == len(tools.calls):
        tools.calls.append(CallState())
    call = tools.calls[number]
    tools.last = number
    if delta.position is not None:
        call.position = delta.position
        tools.by_position[delta.position] = number
    if delta.id:
        call.id = call.id or delta.id
        tools.by_id[delta.id] = number
    call.name = delta.name or call.name
    call.type = delta.type or call.type
    call.continues = call.continues if delta.goes_on is None else delta.goes_on
    if delta.extras:
        call.extras = {} if call.extras is None else call.extras
        answer.retention.merge(call.extras, delta.extras)
    _fold_arguments(answer, call, delta)


def _fold_arguments(answer: Answer, call: CallState, delta: ToolCallDelta) -> None:
    if delta.pieces:
        fold_pieces(answer.retention, call, delta.pieces)
    if not delta.arguments:
        return
    if call.arguments is None:
        call.arguments = Text(answer.retention)
    if delta.final:
        call.arguments.replace(delta.arguments)
        call.scan = None
    else:
        call.arguments.append(delta.arguments)


def _route(tools: ToolCallsState, delta: ToolCallDelta) -> int:
    """The number of the call that a piece belongs to, by the table above; that of the next call where it opens one."""
    new = len(tools.calls)
    known = _known(tools, delta)
    return new if known is None or _opens(tools.calls[known], delta, by_id=_is_known_by_id(tools, delta)) else known


def _is_known_by_id(tools: ToolCallsState, delta: ToolCallDelta) -> bool:
    return delta.position is None and bool(delta.id) and delta.id in tools.by_id


def _known(tools: ToolCallsState, delta: ToolCallDelta) -> int | None:
    """The number of the call that a piece names by position or ID, else of the last one."""
    if delta.position is not None:
        there = tools.by_position.get(delta.position)
        return _of_id(tools, delta, there) if there is not None and delta.id else there
    if _is_known_by_id(tools, delta):
        return tools.by_id[delta.id or ""]
    return tools.last


def _of_id(tools: ToolCallsState, delta: ToolCallDelta, last: int) -> int | None:
    """The call at this position with this ID, or the last one there if it has no ID yet."""
    known = tools.by_id.get(delta.id or "")
    if known is not None and tools.calls[known].position == delta.position:
        return known
    # Some servers give the same ID to all calls, some another to each piece: then the position alone identifies a call.
    call = tools.calls[last]
    return last if call.id in (None, delta.id) or _is_piece(call, delta) else None


def _opens(call: CallState, delta: ToolCallDelta, *, by_id: bool) -> bool:
    """Whether a piece opens a call of its own, although it could belong to `call`."""
    if by_id:  # a call that is complete and comes once more was called twice
        whole = _begins(delta) and bool(delta.arguments.strip()) and not delta.final
        return whole and is_whole(call)
    if delta.position is None:
        return bool(delta.id) or bool(delta.name and call.name is not None and not _continues(call, delta))
    return not delta.id and not delta.final and _begins(delta) and _is_over(call, delta)


def _is_piece(call: CallState, delta: ToolCallDelta) -> bool:
    """Whether a piece without a name continues the arguments of a call that has one, whatever its ID."""
    return not delta.name and call.name is not None and not is_whole(call)


def _begins(delta: ToolCallDelta) -> bool:
    """Whether a piece looks like the first of a call: it has a name, and its arguments do not start inside an object."""
    return bool(delta.name) and delta.arguments.lstrip()[:1] in ("", "{")


def _continues(call: CallState, delta: ToolCallDelta) -> bool:
    """Whether a call stated that more of it follows, and a piece with its name is that."""
    return call.continues is True and call.name == delta.name


def _is_over(call: CallState, delta: ToolCallDelta) -> bool:
    """Whether a name without an ID begins another call: it is another name, or this call has complete arguments."""
    return call.name is not None and (call.name != delta.name or is_whole(call))


_MARKS = re.compile(r'["{}\[\]]|\\.?', re.DOTALL)
_NEVER = -1


def is_whole(call: CallState) -> bool:
    """Whether the arguments of a call are a whole JSON object. Each character is scanned once, however often this is asked."""
    start, depth, quoted, begun = call.scan or (0, 0, False, False)
    if depth == _NEVER:
        return False
    piece = "" if call.arguments is None else call.arguments.tail(start)
    depth, quoted, end = _scanned(piece, depth, quoted)
    begun = begun or bool(piece.strip())
    whole = False
    if begun and not depth and not quoted:
        arguments = "" if call.arguments is None else call.arguments.value().rstrip()
        whole = arguments.endswith("}") and _parsed(arguments) is not None
        depth = depth if whole else _NEVER  # nothing that follows makes it one
    call.scan = [start + end, depth, quoted, begun]
    return whole


def _scanned(piece: str, depth: int, quoted: bool) -> tuple[int, bool, int]:
    """How deep a piece of JSON text ends, whether inside a string, and how much of it was read: half an escape waits."""
    for mark in _MARKS.finditer(piece):
        sign = mark[0]
        if sign == "\\":
            return depth, quoted, mark.start()
        if sign == '"':
            quoted = not quoted
        elif not quoted and len(sign) == 1:
            depth += 1 if sign in "{[" else -1
            if depth < 0:
                return _NEVER, quoted, len(piece)
    return depth, quoted, len(piece)


def tool_calls(choice: ChoiceState, *, ended: bool) -> tuple[ToolCall, ...]:
    """The tool calls of a choice, in order of position; with `ended`, no arguments at all are complete ones."""
    calls = [] if choice.tools is None else choice.tools.calls
    places = [number if call.position is None else call.position for number, call in enumerate(calls)]
    ordered = sorted(range(len(calls)), key=lambda number: (places[number], number))
    return tuple(_tool_call(calls[number], index, ended=ended) for index, number in enumerate(ordered))


def _tool_call(call: CallState, index: int, *, ended: bool) -> ToolCall:
    kind = call.type or "function"
    arguments = assembled(call) or ("" if call.arguments is None else call.arguments.value())
    over = ended or call.continues is False
    lost = call.continues is True or has_lost(call)
    return ToolCall(
        index=index,
        id=call.id,
        name=call.name,
        type=kind,
        extras=call.extras or {},
        **arguments_of(arguments, kind, over, lost=lost),
    )


def has_lost(call: CallState) -> bool:
    """Whether some of the arguments were not kept."""
    texts = [call.arguments, *(path.text for path in call.paths.values())]
    return any(text is not None and text.lost for text in texts) or any(path.is_empty for path in call.paths.values())


def arguments_of(arguments: str, kind: str, ended: bool, *, lost: bool = False) -> dict[str, Any]:
    """The fields of a `ToolCall` that follow from its raw arguments; with `lost`, some of them did not come or were not kept."""
    if lost:
        return {"arguments": arguments, "complete": False}
    if kind == "custom":
        return {"arguments": arguments, "complete": ended}
    parsed = _parsed(arguments) if arguments.strip() else ({} if ended else None)
    return {"arguments": arguments, "arguments_json": parsed, "complete": parsed is not None}


def _parsed(arguments: str) -> Json:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return None
