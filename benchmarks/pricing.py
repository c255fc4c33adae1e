"""The time of one price, beside LiteLLM and genai-prices if they are installed. `python -m benchmarks.pricing`

The results are compared first, then the times are taken: the same requests, interleaved, in one process. Import and load
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
class Request:
    """One request, in the form that each library takes."""

    provider: str
    model: str
    usage: Usage


REQUESTS = [
    Request(provider, model, Usage(input_tokens=12_000, cache_read_tokens=cached, output_tokens=900, reasoning_tokens=thought))
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

Priced = Callable[[Request], Decimal | float | None]


def ours() -> dict[str, Priced]:
    """This package: the amount alone; the whole cost, whose lines are created on access; and with the lines."""
    catalog = ModelCatalog.bundled()

    def amount(request: Request) -> Decimal | None:
        return catalog.usd(request.model, request.usage, provider=request.provider, at=AT)

    def cost(request: Request) -> Decimal | None:
        return catalog.price(request.model, request.usage, provider=request.provider, at=AT).usd

    def lines(request: Request) -> Decimal | None:
        found = catalog.price(request.model, request.usage, provider=request.provider, at=AT)
        return found.usd if len(found.breakdown) else None

    return {"usd": amount, "price": cost, "price, lines read": lines}


def litellm() -> dict[str, Priced]:
    """LiteLLM: its fastest function and its usual one, with objects created beforehand."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or the import asks the network
    library, types = import_module("litellm"), import_module("litellm.types.utils")
    names = {"google": "gemini"}
    made: dict[int, Any] = {}

    def usage(request: Request) -> Any:
        if id(request) not in made:
            details = {"cached_tokens": request.usage.cache_read_tokens or 0}
            theirs = types.Usage(
                prompt_tokens=request.usage.input_tokens,
                completion_tokens=request.usage.output_tokens,
                total_tokens=12_900,
                prompt_tokens_details=details,
                **({"cache_read_input_tokens": request.usage.cache_read_tokens} if request.provider == "anthropic" else {}),
            )
            made[id(request)] = theirs, types.ModelResponse(model=request.model, usage=theirs)
        return made[id(request)]

    def per_token(request: Request) -> float:
        provider = names.get(request.provider, request.provider)
        return float(sum(library.cost_per_token(request.model, custom_llm_provider=provider, usage_object=usage(request)[0])))

    def completion(request: Request) -> float:
        provider = names.get(request.provider, request.provider)
        return float(library.completion_cost(usage(request)[1], model=request.model, custom_llm_provider=provider))

    return {"litellm cost_per_token": per_token, "litellm completion_cost": completion}


def genai_prices() -> dict[str, Priced]:
    """genai-prices: its only function, with usage created beforehand."""
    library = import_module("genai_prices")
    made: dict[int, Any] = {}

    def price(request: Request) -> Decimal:
        usage = made.get(id(request))
        if usage is None:
            usage = made[id(request)] = library.Usage(
                input_tokens=request.usage.input_tokens,
                cache_read_tokens=request.usage.cache_read_tokens,
                output_tokens=request.usage.output_tokens,
            )
        found = library.calc_price(usage, request.model, provider_id=request.provider, genai_request_timestamp=AT)
        return Decimal(found.total_price)

    return {"genai-prices calc_price": price}


def installed() -> dict[str, Callable[[], dict[str, Priced]]]:
    """The other libraries that are installed."""
    makers = {"litellm": litellm, "genai_prices": genai_prices}
    return {name: make for name, make in makers.items() if find_spec(name) is not None}


def price_functions() -> dict[str, Priced]:
    """All functions to measure."""
    found = ours()
    for make in installed().values():
        found |= make()
    return found


def agreement(found: Mapping[str, Priced]) -> dict[str, str]:
    """The number of requests for which each function gives this package's amount, to a hundredth of a per cent."""
    catalog = ours()["usd"]
    return {name: f"{sum(_agree(run, catalog, request) for request in REQUESTS)}/{len(REQUESTS)}" for name, run in found.items()}


def _agree(run: Priced, mine: Priced, request: Request) -> bool:
    try:
        theirs, amount = run(request), mine(request)
    except Exception:  # peers without a price raise various exceptions
        return False
    return theirs is not None and amount is not None and abs(float(theirs) - float(amount)) <= 1e-4 * float(amount)


def per_call(found: Mapping[str, Priced]) -> dict[str, tuple[float, float]]:
    """CPU microseconds of a call: the median over the requests and the slowest request; each the median of rounds."""
    answered = [request for request in REQUESTS if all(_answers(run, request) for run in found.values())]
    table: dict[str, tuple[float, float]] = {}
    taken: dict[str, dict[int, list[float]]] = {name: {index: [] for index in range(len(answered))} for name in found}
    for _ in range(ROUNDS):
        for index, request in enumerate(answered):
            for name, run in found.items():
                taken[name][index].append(_once(run, request, CALLS if name in ours_names() else CALLS // 40))
    for name, times in taken.items():
        medians = [statistics.median(rounds) for rounds in times.values()]
        table[name] = statistics.median(medians), max(medians)
    return table


def ours_names() -> tuple[str, ...]:
    """The names of this package's functions."""
    return ("usd", "price", "price, lines read")


def _answers(run: Priced, request: Request) -> bool:
    try:
        return run(request) is not None
    except Exception:  # peers without a price raise various exceptions
        return False


def _once(run: Priced, request: Request, calls: int) -> float:
    began = time.thread_time_ns()
    for _ in range(calls):
        run(request)
    return (time.thread_time_ns() - began) / calls / 1_000


PRICE_GPT_4O = {
    "streamtally": "from streamtally.pricing import ModelCatalog\nfrom streamtally.records import Usage\n"
    "ModelCatalog.bundled().price('gpt-4o', Usage(input_tokens=9), provider='openai')",
    "litellm": "from litellm import cost_per_token\ncost_per_token('gpt-4o', prompt_tokens=9)",
    "genai_prices": "from genai_prices import Usage, calc_price\n"
    "calc_price(Usage(input_tokens=9), 'gpt-4o', provider_id='openai')",
}


def starts() -> dict[str, tuple[float, float]]:
    """Wall seconds of a fresh interpreter for the import, and for the import and a first price, less those of a bare one."""
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
    """Seconds to read the bundled catalog, without its price lists, which are parsed on first use of a model."""
    taken = []
    for _ in range(ROUNDS):
        from streamtally.pricing import snapshot

        began = time.perf_counter()
        ModelCatalog(snapshot.bundled())
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def first_calls() -> float:
    """Microseconds of the first price of a model, which parses its price list; the median over all models."""
    from streamtally.pricing import snapshot

    catalog, usage, taken = ModelCatalog(snapshot.bundled()), REQUESTS[-1].usage, []
    for provider, model in list(catalog):
        began = time.perf_counter()
        catalog.price(model, usage, provider=provider, at=AT)
        taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    found = price_functions()
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
