# `make help` lists the targets. Set-up happens by itself, once; again when pyproject.toml or constraints.txt change,
# and from scratch where .venv cannot serve any more.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test test-unit test-integration lint style bench chaos audit sbom browser clean

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# CUDA's build of torch is 2.7 GB with what it needs. Package indexes tend to have it alone, PyTorch's own has both.
TORCH ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo cuda || echo cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
HAS_TORCH = grep -F ' $(TORCH_VERSION)$(1)' >/dev/null
TORCH_VERSION = $(shell sed -n 's/^torch==//p' constraints.txt)
# one more than the cores of a small machine: tests with real parts wait for servers a third of their time
JOBS ?= 3
SECONDS ?= 300
SEED ?= 1
# the same bytes for the same packages; validating them against the schema takes twenty times as long as making them
SBOM := --pyproject pyproject.toml --output-reproducible --no-validate
GATED := scan hessian_free nade cross_entropy training_step validation stacks pipeline page

# one thread a process: parallel tests and Dask workers share the cores
export OMP_NUM_THREADS := 1
export DO_NOT_TRACK := 1
# where it is set, every process that the tests start compiles all our sources again
unexport PYTHONDONTWRITEBYTECODE
PYTEST = $(BIN)/pytest -n $(JOBS)

# The programs in .venv name the folder that they were installed in, and the build of torch is in the stamp.
STALE := $(shell [ ! -e $(STAMP) ] || { \
  named=$$(head -n 2 $(BIN)/prefect 2>/dev/null | grep -o '/.*/python') && [ "$${named%/*}" -ef $(BIN) ] && \
  $(BIN)/python -c '' 2>/dev/null && \
  { [ -z "$(filter command environment,$(origin TORCH))" ] || grep -qx "$(TORCH)" $(STAMP); }; } || echo yes)
ifneq ($(STALE),)
.PHONY: $(STAMP)
endif

help:  ## list the targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "%-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv with the pinned packages and this checkout

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Python 3.11 or newer is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@case "$(TORCH)" in cpu|cuda) ;; *) echo "error: TORCH=$(TORCH): wants cpu or cuda" >&2; exit 2;; esac
	@echo "setting up $(VENV) with torch for $(TORCH): some minutes, once"
	$(PYTHON) -m venv $(if $(STALE),--clear) $(VENV)
	@if [ $(TORCH) = cpu ] && ! $(PIP) index versions torch 2>/dev/null | $(call HAS_TORCH,+cpu); then \
	  if $(PIP) index versions torch --index-url $(TORCH_INDEX) --retries 0 2>/dev/null | $(call HAS_TORCH); then \
	    $(PIP) install --quiet --no-deps --index-url $(TORCH_INDEX) torch==$(TORCH_VERSION); \
	  else \
	    echo "$(TORCH_INDEX) has no torch $(TORCH_VERSION), or is not reached: where the package index has CUDA's build" \
	      "alone, 2.7 GB come from there; TORCH_INDEX=URL names another index" >&2; \
	  fi; \
	fi
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@version=$$($(BIN)/python -c 'from importlib.metadata import version; print(version("torch"))'); \
	case "$(TORCH) $$version" in \
	  cuda*+cpu) echo "torch $$version is the build for processors: the package index puts it before CUDA's" >&2;; \
	  *) echo "torch $$version";; \
	esac
	@echo $(TORCH) >$@

run: $(STAMP)  ## the main job: every technique compared, report in ./artifacts
	@$(BIN)/prefect run reproduce $(ARGS)

test: style browser  ## everything that is tested: style, types, unit tests, integration tests
	$(PYTEST)

test-unit: $(STAMP)  ## unit tests alone, a process a core; `make test` has the losses of short runs (golden) as well
	$(BIN)/pytest -n logical -m 'not integration and not golden'

test-integration: $(STAMP) browser  ## real parts alone: server, scheduler, workers, store, browser, mypy
	$(PYTEST) -m integration

lint: style  ## ruff and mypy
	$(BIN)/mypy

style: $(STAMP)  # ruff alone: mypy takes a minute, and is one of the integration tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(STAMP)  ## every measurement that has a gate, then all gates in one table; the page's wants a Chromium
	@for name in $(GATED) gates; do echo "== benchmarks.$$name"; $(BIN)/python -m "benchmarks.$$name"; done

chaos: $(STAMP)  ## fail at every store operation, then kill and pause all parts of campaigns: SECONDS=300 SEED=1
	CHAOS=whole $(BIN)/pytest -q tests/tasks/test_killed.py
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED)

audit: $(STAMP)  ## known vulnerabilities of the pinned packages; a line where the advisory data cannot be had
	@if $(BIN)/python -m infra.advisories; then \
	  $(PIP) install --quiet -c constraints.txt -e '.[audit]' && \
	  $(BIN)/pip-audit --vulnerability-service osv --no-deps --disable-pip --progress-spinner off \
	    --requirement constraints.txt; \
	fi

sbom: $(STAMP)  ## what is in .venv, as CycloneDX: build/sbom.cdx.json
	@$(BIN)/python -c 'import cyclonedx_py' 2>/dev/null || $(PIP) install --quiet -c constraints.txt -e '.[audit]'
	@mkdir -p build
	@$(BIN)/cyclonedx-py environment $(SBOM) --output-file build/sbom.cdx.json $(BIN)/python
	@echo build/sbom.cdx.json

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
