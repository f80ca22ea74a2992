# `make help` lists the targets. Set-up happens by itself, once, and again when pyproject.toml or constraints.txt change.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test test-unit test-integration lint bench browser clean

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
JOBS ?= 2
GATED := scan hessian_free nade cross_entropy training_step stacks pipeline

# one thread a process: parallel tests and Dask workers share the cores
export OMP_NUM_THREADS := 1
export DO_NOT_TRACK := 1

help:  ## list the targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "%-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv with the pinned packages and this checkout

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Python 3.11 or newer is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@echo "setting up $(VENV): some minutes, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(STAMP)  ## the main job: every technique compared, report in ./artifacts
	@$(BIN)/prefect run reproduce $(ARGS)

test: lint test-unit test-integration  ## everything that is tested

test-unit: $(STAMP)  ## unit tests, three minutes
	$(BIN)/pytest -m 'not integration' -n $(JOBS)

test-integration: $(STAMP) browser  ## real parts: server, scheduler, workers, store, browser
	$(BIN)/pytest -m integration

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## every measurement that has a gate, then all gates in one table; nothing is asserted
	@for name in $(GATED) gates; do echo "== benchmarks/$$name.py"; $(BIN)/python "benchmarks/$$name.py"; done

browser:  # the report's tests open it in Chromium
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the tests of the report"; \
	    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null \
	      || echo "chromium could not be installed: the tests that need a browser are skipped"; \
	  else \
	    echo "no chromium here: the tests that need a browser are skipped; install it with: apt-get install chromium"; \
	  fi; }

clean:  ## remove .venv and caches; ./artifacts stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
