#!/usr/bin/env bash
# opentelemetry-instrumentation-openai-v2 2.4b0: in a fresh environment with openai 3, the package cannot be imported.
# Expected: a package can be imported after it was installed with its `instruments` extra, which allows openai>=1.26
# without an upper bound.
# Observed: it imports httpx, which it does not depend on and which openai 3 no longer brings. With httpx added, it
# imports opentelemetry.util.genai.instruments, which is missing in the release of opentelemetry-util-genai that its
# open requirement selects. The opentelemetry-instrument command skips it, with a message of level DEBUG, and starts the
# program.
# Why it matters: there are no spans and no metrics of OpenAI calls, and at the usual log level nothing shows it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    opentelemetry-instrumentation-openai-v2[instruments]==2.4b0 \
    openai==3.57.0 \
    opentelemetry-util-genai==1.3b0
"$work/venv/bin/python" - <<'PYTHON'
import importlib
import importlib.metadata
import subprocess
import sys

for name in ("opentelemetry-instrumentation-openai-v2", "openai", "opentelemetry-util-genai"):
    print(name, importlib.metadata.version(name))


def missing_module():
    program = "import opentelemetry.instrumentation.openai_v2"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    return done.stderr.splitlines()[-1] if done.returncode else None


first = missing_module()
print("import:", first)
subprocess.run([sys.executable, "-m", "pip", "-qq", "install", "--disable-pip-version-check", "httpx==0.28.1"], check=True)
second = missing_module()
print("import, with httpx 0.28.1:", second)
assert first == "ModuleNotFoundError: No module named 'httpx'"
assert second == "ModuleNotFoundError: No module named 'opentelemetry.util.genai.instruments'"
PYTHON
