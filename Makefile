# Each target sets up everything it needs: a .venv from the hash-locked requirements, then the project itself.
# The first interpreter that really runs and is new enough: a name on the PATH may be only a version manager's shim.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help install install-dev run demo test lint bench lock clean

help:  ## What there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Tocsin needs Python 3.11 or newer, and none was found (name one with make PYTHON=...)" >&2; exit 2; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements/build.txt requirements/run.txt pyproject.toml
	@echo "Installing what Tocsin needs (locked, with hashes; this takes a minute the first time) ..."
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.txt
	@echo "Installing what tests and checks need ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

install: $(VENV)/.installed  ## The tocsin command in .venv/bin
install-dev: $(VENV)/.installed-dev  ## The same with what tests and checks need

run: install  ## The daemon with the default settings (Ctrl-C stops it)
	@exec $(BIN)/tocsin run

demo: install  ## A written story of several days, played in a minute; no network, no token
	@exec $(BIN)/tocsin demo

test: install-dev  ## All tests
	@$(BIN)/python -m pytest -n 2

lint: install-dev  ## Style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

lock:  ## Lock the requirements anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q requirements/build.in -o requirements/build.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q pyproject.toml -o requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q --extra apprise -c requirements/run.txt pyproject.toml -o requirements/apprise.txt

clean:  ## Remove what make made (never ./data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
