"""What `import streamtally` costs beside `from pydantic import BaseModel`, each in a fresh interpreter."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 9


def _cpu(statement: str, environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def import_ratio() -> dict[str, float]:
    """CPU seconds of both imports, less those of a bare interpreter, and their ratio."""
    statements = {"bare": "pass", "pydantic": "from pydantic import BaseModel", "streamtally": "import streamtally"}
    times: dict[str, list[float]] = {name: [] for name in statements}
    with tempfile.TemporaryDirectory() as compiled:
        # Bytecode is compiled once, as for installed packages, also if the environment disables it.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled
        for round_number in range(ROUNDS + 1):
            for name, statement in statements.items():
                taken = _cpu(statement, environment)
                times[name] += [taken] if round_number else []
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    pydantic, ours = medians["pydantic"] - medians["bare"], medians["streamtally"] - medians["bare"]
    return {"pydantic": pydantic, "streamtally": ours, "ratio": ours / pydantic}
