"""How figures and records are put into words."""

from __future__ import annotations

from decimal import Decimal

from ..records import Cost, ToolCall, Usage

NOTHING = "–"


def shortened(text: str, length: int = 24) -> str:
    """The beginning of a text, on one line: what would move the cursor or colour the terminal is replaced.

    >>> shortened("as it is"), shortened("much too long", 4), shortened("two\\nlines")
    ('as it is', 'much…', 'two lines')
    """
    cut = text if len(text) <= length else f"{text[:length]}…"
    return "".join(letter if letter.isprintable() else " " for letter in cut)


def milliseconds(seconds: float | None) -> str:
    """A short time.

    >>> milliseconds(0.4104), milliseconds(None)
    ('410 ms', '–')
    """
    return NOTHING if seconds is None else f"{seconds * 1000:.0f} ms"


def dollars(amount: Decimal | str) -> str:
    """An exact amount (a number, or the text of one in a price list), without trailing zeros.

    >>> dollars(Decimal("0.0000180")), dollars(Decimal(20)), dollars(Decimal("0E-15"))
    ('$0.000018', '$20', '$0')
    """
    text = f"{Decimal(amount):f}"
    return f"${text.rstrip('0').rstrip('.') if '.' in text else text}"


def cost_in_words(cost: Cost) -> str:
    """A cost (a lower bound where a part is not known), or why there is none.

    >>> cost_in_words(Cost(usd=Decimal("0.5"), status="partial")), cost_in_words(Cost(status="no_usage"))
    ('≥ $0.5', 'unknown (no_usage)')
    """
    if cost.usd is None:
        return f"unknown ({cost.status})"
    return f"{'' if cost.complete else '≥ '}{dollars(cost.usd)}"


def tokens_in_words(usage: Usage | None) -> str:
    """Tokens in and out; what comes of an interrupted stream is a lower bound.

    >>> tokens_in_words(Usage(input_tokens=9, output_tokens=3, partial=True))
    '≥ 9 tokens in, ≥ 3 out'
    """
    if usage is None:
        return "no usage"
    about = "~ " if usage.source == "estimated" else "≥ " if usage.partial else ""
    counts = ((usage.input_tokens, "tokens in"), (usage.output_tokens, "out"))
    return ", ".join(f"{about}{count} {name}" for count, name in counts if count is not None) or "no tokens"


def call_in_words(call: ToolCall) -> str:
    """A tool call, as it would stand in a program."""
    return f"{call.name or '?'}({shortened(call.arguments, 200)})"
