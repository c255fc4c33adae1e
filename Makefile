# Each target works alone on a machine that has Python 3.11 or newer, and make.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PYTHON  ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
             $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PARALLEL := --numprocesses auto --dist worksteal
SOURCES := streamtally tests scripts benchmarks compatibility

.DEFAULT_GOAL := help
.PHONY: help install demo test lint bench lowest matrix far format clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

install: $(STAMP) ## make .venv and install the package with all that development needs

$(STAMP): pyproject.toml constraints-dev.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-dev.txt -e '.[all,dev]'
	@touch $@

demo: $(STAMP) ## show what the package does, without a key and without the network
	@$(BIN)/streamtally demo

test: lint ## everything that must hold before a commit
	@$(BIN)/python -m pytest --cov $(PARALLEL)

lint: $(STAMP) ## the checks that run no code: style, format, types, import rule, length of files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict $(SOURCES)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m scripts.file_lengths streamtally

bench: $(STAMP) ## measure the cost beside the floors and the peers: a report, never a gate
	@$(BIN)/python -m benchmarks

lowest: ## the tests with the oldest dependencies that are allowed (their own warnings are no errors)
	@test -x .venv-lowest/bin/pip || $(PYTHON) -m venv .venv-lowest
	@.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[all,test]'
	@.venv-lowest/bin/python -m pytest -W default $(PARALLEL)

matrix: ## import, types and a part of the tests on every CPython from 3.11 to 3.14 that is found
	@scripts/matrix

far: $(STAMP) ## let real SDKs and frameworks read through wrap, each in an environment of its own; ONLY="groq together" for some
	@$(BIN)/python -m compatibility $(ONLY)

format: $(STAMP) ## let ruff fix and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove all that was made, the environment included
	@rm -rf $(VENV) .venv-lowest .venv-far build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find streamtally tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
