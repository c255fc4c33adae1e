"""What one price costs, beside LiteLLM and genai-prices where they are installed. `python -m benchmarks.pricing`

First the answers are compared, then the times are taken: the same requests, in turns, in one process. Import and load
times are those of fresh interpreters.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from streamtally.pricing import ModelCatalog
from streamtally.records import Usage

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
CALLS, ROUNDS, STARTS = 2_000, 15, 5
PEERS = {"litellm": "litellm", "genai_prices": "genai-prices"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as all three are asked about it."""

    provider: str
    model: str
    usage: Usage


REQUESTS = [
    Asked(provider, model, Usage(input_tokens=12_000, cache_read_tokens=cached, output_tokens=900, reasoning_tokens=thought))
    for provider, model in (
        ("openai", "gpt-4o"),
        ("openai", "gpt-5.4"),
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-haiku-4-5"),
        ("google", "gemini-2.5-pro"),
        ("google", "gemini-2.5-flash"),
        ("deepseek", "deepseek-v4-pro"),
    )
    for cached, thought in ((None, None), (8_000, None), (8_000, 400))
]

Priced = Callable[[Asked], Decimal | float | None]


def ours() -> dict[str, Priced]:
    """The amount alone; the whole cost, whose lines are made when they are read; and with the lines read."""
    catalog = ModelCatalog.bundled()

    def amount(asked: Asked) -> Decimal | None:
        return catalog.usd(asked.model, asked.usage, provider=asked.provider, at=AT)

    def cost(asked: Asked) -> Decimal | None:
        return catalog.price(asked.model, asked.usage, provider=asked.provider, at=AT).usd

    def lines(asked: Asked) -> Decimal | None:
        found = catalog.price(asked.model, asked.usage, provider=asked.provider, at=AT)
        return found.usd if len(found.breakdown) else None

    return {"usd": amount, "price": cost, "price, lines read": lines}


def litellm() -> dict[str, Priced]:
    """LiteLLM's cheapest way and its usual one, with objects made beforehand."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or the import asks the network
    library, types = import_module("litellm"), import_module("litellm.types.utils")
    names = {"google": "gemini"}
    made: dict[int, Any] = {}

    def usage(asked: Asked) -> Any:
        if id(asked) not in made:
            details = {"cached_tokens": asked.usage.cache_read_tokens or 0}
            theirs = types.Usage(
                prompt_tokens=asked.usage.input_tokens,
                completion_tokens=asked.usage.output_tokens,
                total_tokens=12_900,
                prompt_tokens_details=details,
                **({"cache_read_input_tokens": asked.usage.cache_read_tokens} if asked.provider == "anthropic" else {}),
            )
            made[id(asked)] = theirs, types.ModelResponse(model=asked.model, usage=theirs)
        return made[id(asked)]

    def per_token(asked: Asked) -> float:
        provider = names.get(asked.provider, asked.provider)
        return float(sum(library.cost_per_token(asked.model, custom_llm_provider=provider, usage_object=usage(asked)[0])))

    def completion(asked: Asked) -> float:
        provider = names.get(asked.provider, asked.provider)
        return float(library.completion_cost(usage(asked)[1], model=asked.model, custom_llm_provider=provider))

    return {"litellm cost_per_token": per_token, "litellm completion_cost": completion}


def genai_prices() -> dict[str, Priced]:
    """genai-prices' one way, with usage made beforehand."""
    library = import_module("genai_prices")
    made: dict[int, Any] = {}

    def price(asked: Asked) -> Decimal:
        usage = made.get(id(asked))
        if usage is None:
            usage = made[id(asked)] = library.Usage(
                input_tokens=asked.usage.input_tokens,
                cache_read_tokens=asked.usage.cache_read_tokens,
                output_tokens=asked.usage.output_tokens,
            )
        found = library.calc_price(usage, asked.model, provider_id=asked.provider, genai_request_timestamp=AT)
        return Decimal(found.total_price)

    return {"genai-prices calc_price": price}


def installed() -> dict[str, Callable[[], dict[str, Priced]]]:
    """The peers that are here."""
    makers = {"litellm": litellm, "genai_prices": genai_prices}
    return {name: make for name, make in makers.items() if find_spec(name) is not None}


def ways() -> dict[str, Priced]:
    """All ways of pricing that are to be measured."""
    found = ours()
    for make in installed().values():
        found |= make()
    return found


def agreement(found: Mapping[str, Priced]) -> dict[str, str]:
    """In how many of the requests each way gives our amount, to a hundredth of a per cent."""
    catalog = ours()["usd"]
    return {name: f"{sum(_agree(way, catalog, asked) for asked in REQUESTS)}/{len(REQUESTS)}" for name, way in found.items()}


def _agree(way: Priced, mine: Priced, asked: Asked) -> bool:
    try:
        theirs, amount = way(asked), mine(asked)
    except Exception:  # peers without a price raise various exceptions
        return False
    return theirs is not None and amount is not None and abs(float(theirs) - float(amount)) <= 1e-4 * float(amount)


def per_call(found: Mapping[str, Priced]) -> dict[str, tuple[float, float]]:
    """CPU microseconds of a call: the median over the requests, and the dearest of them; of rounds, the median."""
    answered = [asked for asked in REQUESTS if all(_answers(way, asked) for way in found.values())]
    table: dict[str, tuple[float, float]] = {}
    taken: dict[str, dict[int, list[float]]] = {name: {index: [] for index in range(len(answered))} for name in found}
    for _ in range(ROUNDS):
        for index, asked in enumerate(answered):
            for name, way in found.items():
                taken[name][index].append(_once(way, asked, CALLS if name in ours_names() else CALLS // 40))
    for name, times in taken.items():
        medians = [statistics.median(rounds) for rounds in times.values()]
        table[name] = statistics.median(medians), max(medians)
    return table


def ours_names() -> tuple[str, ...]:
    """The ways that are this package's."""
    return ("usd", "price", "price, lines read")


def _answers(way: Priced, asked: Asked) -> bool:
    try:
        return way(asked) is not None
    except Exception:  # as above
        return False


def _once(way: Priced, asked: Asked, calls: int) -> float:
    began = time.thread_time_ns()
    for _ in range(calls):
        way(asked)
    return (time.thread_time_ns() - began) / calls / 1_000


PRICE_GPT_4O = {
    "streamtally": "from streamtally.pricing import ModelCatalog\nfrom streamtally.records import Usage\n"
    "ModelCatalog.bundled().price('gpt-4o', Usage(input_tokens=9), provider='openai')",
    "litellm": "from litellm import cost_per_token\ncost_per_token('gpt-4o', prompt_tokens=9)",
    "genai_prices": "from genai_prices import Usage, calc_price\n"
    "calc_price(Usage(input_tokens=9), 'gpt-4o', provider_id='openai')",
}


def starts() -> dict[str, tuple[float, float]]:
    """Wall seconds of a fresh interpreter for the import alone and for the import and a first price, less a bare one's."""
    names = ["streamtally", *(name for name in PEERS if find_spec(name) is not None)]
    imports = {"streamtally": "from streamtally.pricing import ModelCatalog\nfrom streamtally.records import Usage"}
    programs = {"bare": "pass"}
    for name in names:
        programs |= {f"import {name}": imports.get(name, f"import {name}"), f"price {name}": PRICE_GPT_4O[name]}
    times: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as compiled:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPYCACHEPREFIX": compiled, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        for round_number in range(STARTS + 1):
            for name, program in programs.items():
                began = time.perf_counter()
                subprocess.run([sys.executable, "-c", program], check=True, env=environment)
                times[name] += [time.perf_counter() - began] if round_number else []
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    return {name: (medians[f"import {name}"] - medians["bare"], medians[f"price {name}"] - medians["bare"]) for name in names}


def load() -> float:
    """Seconds to read the bundled catalog, without its price lists, which are parsed when a model is first asked for."""
    taken = []
    for _ in range(ROUNDS):
        from streamtally.pricing import snapshot

        began = time.perf_counter()
        ModelCatalog(snapshot.bundled())
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def first_calls() -> float:
    """Microseconds of the first price of a model, the median over all: its price list is parsed and its card made."""
    from streamtally.pricing import snapshot

    catalog, usage, taken = ModelCatalog(snapshot.bundled()), REQUESTS[-1].usage, []
    for provider, model in list(catalog):
        began = time.perf_counter()
        catalog.price(model, usage, provider=provider, at=AT)
        taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    found = ways()
    for name, label in PEERS.items():
        if find_spec(name) is None:
            print(f"{label}: skipped, it is not installed")
    agreed, times = agreement(found), per_call(found)
    print(f"{'one call, CPU µs':28}{'median':>10}{'dearest':>10}{'agree with usd':>18}")
    for name, (median, dearest) in times.items():
        print(f"{name:28}{median:10.2f}{dearest:10.2f}{agreed[name]:>18}")
    print(f"first price of a model: {first_calls():.0f} µs (median over all); the catalog is read in {load() * 1e3:.1f} ms")
    print(f"{'fresh interpreter, ms':28}{'import':>10}{'and price':>10}")
    for name, (imported, priced) in starts().items():
        print(f"{name:28}{imported * 1e3:10.0f}{priced * 1e3:10.0f}")


if __name__ == "__main__":
    main()
