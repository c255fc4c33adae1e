"""Compares streamtally, genai-prices and LiteLLM on the golden cases: `python -m benchmarks.prices`.

Run it where the other libraries are installed; missing ones are reported. Every disagreement is looked up in
`tests/pricing/golden_disagreements.json`; one without an entry there is printed as unexplained.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from . import price_peers
from .price_peers import Case, PriceFunction, Unsupported

HERE = Path(__file__).parent.parent / "tests" / "pricing"
NEAR = Decimal("1e-10")
"""Peers count in floats: what differs by less than this share is the same."""


class Answer(NamedTuple):
    """The result of one library for one case: `verdict` is agree, differ, none, error or unsupported."""

    verdict: str
    detail: str


def cases() -> list[dict[str, Any]]:
    """The golden cases."""
    listed: list[dict[str, Any]] = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))["cases"]
    return listed


def explanations() -> list[dict[str, Any]]:
    """The explained disagreements: each entry has a library, patterns of case ids, the reason and its source."""
    listed: list[dict[str, Any]] = json.loads((HERE / "golden_disagreements.json").read_text(encoding="utf-8"))["reasons"]
    return listed


def answer(ask: PriceFunction, case: Case) -> Answer:
    """The result of one library for one case; an exception is a result too."""
    try:
        amount = ask(case)
    except Unsupported as error:
        return Answer("unsupported", str(error))
    except Exception as error:  # a peer's failure is what is measured here
        return Answer("error", f"{type(error).__name__}: {str(error).splitlines()[0][:90] if str(error) else ''}")
    if amount is None:
        return Answer("none", "no cost")
    wanted = Decimal(case["usd"])
    same = abs(amount - wanted) <= NEAR * max(wanted, amount)
    return Answer("agree" if same else "differ", format(amount, "f"))


def reason(peer: str, case: Case, found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first entry that explains a library's result for a case."""
    own = (entry for entry in found if entry["peer"] == peer)
    return next((entry for entry in own if any(fnmatch(case["id"], text) for text in entry["cases"])), None)


def libraries() -> Iterator[tuple[str, PriceFunction]]:
    """The installed libraries, this package first."""
    yield "streamtally", price_peers.streamtally()
    for name, make in price_peers.PEERS.items():
        try:
            yield name, make()
        except ImportError:
            print(f"{name} is not installed: left out")


def table(answers: Mapping[str, Mapping[str, Answer]], listed: list[dict[str, Any]]) -> Iterator[str]:
    """The agreement by provider, as lines of Markdown."""
    names = list(answers)
    yield "| provider | cases | " + " | ".join(names) + " |"
    yield "| --- | --- | " + " | ".join("---" for _ in names) + " |"
    groups: dict[str, list[str]] = defaultdict(list)
    for case in listed:
        groups[case["provider"]].append(case["id"])
    few = [provider for provider, ids in groups.items() if len(ids) < 5]
    for provider in few:
        groups["others"] += groups.pop(provider)
    for provider, ids in [*groups.items(), ("all", [case["id"] for case in listed])]:
        yield f"| {provider} | {len(ids)} | " + " | ".join(_share(answers[name], ids) for name in names) + " |"


def _share(answers: Mapping[str, Answer], ids: list[str]) -> str:
    verdicts = Counter(answers[identity].verdict for identity in ids)
    supported = len(ids) - verdicts["unsupported"]
    return f"{verdicts['agree']} of {supported}" if supported else "unsupported"


def main(arguments: list[str]) -> int:
    """Print the table and every disagreement; returns 1 if this package is wrong or a disagreement is unexplained."""
    listed, why = cases(), explanations()
    answers = {name: {case["id"]: answer(ask, case) for case in listed} for name, ask in libraries()}
    print(*table(answers, listed), sep="\n")
    unexplained = 0
    for name, found in answers.items():
        wrong = [case for case in listed if found[case["id"]].verdict not in ("agree", "unsupported")]
        print(f"\n{name}: {len(wrong)} cases differ from the sources")
        groups: dict[str, list[Case]] = defaultdict(list)
        for case in wrong:
            known = reason(name, case, why)
            groups[f"{known['why']} [{known['source']}]" if known else "UNEXPLAINED"].append(case)
        unexplained += len(groups.get("UNEXPLAINED", ()))
        for text, members in sorted(groups.items(), key=lambda item: -len(item[1])):
            print(f"  {len(members)} × {text}")
            for member in members if "--all" in arguments or text == "UNEXPLAINED" else ():
                print(f"      {member['id']}: {member['usd']}, got {found[member['id']].detail}")
    print(f"\n{unexplained} unexplained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
