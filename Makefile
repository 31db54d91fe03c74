# Commands of the project. `make help` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

PAGE_CHECKS := turret_pipeline_tests/dashboard

# No telemetry, and no downloads from the Hugging Face hub.
export DAGSTER_DISABLE_TELEMETRY = true
export DBT_SEND_ANONYMOUS_USAGE_STATS = false
export GX_ANALYTICS_ENABLED = false
export HF_HUB_OFFLINE ?= 1
# Python keeps the compiled modules, which else each process compiles again; the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test coverage test-fast check lint docs dashboard ui serve install install-dev sbom lock clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install  ## run the pipeline on data/sample and print a summary
	@$(BIN)/turret run --input data/sample

# Test files run in parallel, and the tests of one file in order (conftest.py says in which). One process more than cores,
# because some tests wait for servers. xdist's own reordering is off. With passive waiting, idle threads of one test do not
# block the cores that another test needs. Schemathesis' plugin of pytest is not used, and takes seconds to import.
WORKERS = $(shell $(BIN)/python -c 'import os; print(min(os.cpu_count() + 1, 5))')
PYTEST = OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -p no:schemathesis

test: install-dev  ## run all tests (another processor, simulated: VECTOR_NOISE=1e-5 make test)
	@$(PYTEST)

coverage: install-dev  ## run all tests, and list the lines that none of them runs; takes half as long again
	@$(PYTEST) --cov

test-fast: install-dev  ## run the quick tests: none that runs the whole job
	@$(PYTEST) -m "not slow"

check: lint test  ## run lint, types, import rules, dbt, definitions and tests

lint: install-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --strict data/sample/generator
	@$(BIN)/lint-imports
	@$(BIN)/dagster definitions validate -m turret_pipeline.definitions

docs: install-dev  ## build the documentation into site/
	@$(BIN)/zensical build --strict

dashboard: install  ## open the dashboard on http://127.0.0.1:8080
	@$(BIN)/turret dashboard

ui: install  ## open the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/turret ui

serve: install  ## start the collector on http://127.0.0.1:8000
	@$(BIN)/turret serve

install: $(VENV)/.installed  ## set up .venv with the command turret

install-dev: $(VENV)/.installed-dev $(PAGE_CHECKS)/node_modules/.installed  ## add what tests, lint and docs need

# The lock files have a hash for each package. The project itself has none, and neither has torch (see .ci/lock).
# Modules are compiled when they are first imported: to compile all takes a minute, and a run imports a quarter.
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-compile

$(VENV)/.installed: pyproject.toml requirements.lock constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python " + sys.version.split()[0] + " is too old: use Python 3.11 or later, with make PYTHON=...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): takes a few minutes the first time"
	@$(PIP) --no-deps --require-hashes --requirement requirements.lock
	@$(PIP) --constraint constraints.txt torch
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@$(PIP) --no-deps --require-hashes --requirement requirements-dev.lock
	@touch $@

# axe-core and html-validate, which check the pages of the dashboard; without npm their tests are skipped.
$(PAGE_CHECKS)/node_modules/.installed: $(PAGE_CHECKS)/package-lock.json
	@mkdir -p $(@D)
	@if command -v npm > /dev/null; then npm ci --silent --prefix $(PAGE_CHECKS); fi
	@touch $@

sbom: install-dev  ## write sbom.json, the packages of a run in CycloneDX's format
	@{ cat requirements.lock; grep '^torch==' constraints.txt; } | \
	  $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file sbom.json -

lock: install-dev  ## write the lock files after a change of pyproject.toml
	@.ci/lock

clean:  ## remove .venv and everything in data except the sample
	@rm -rf $(VENV) site .cache
	@find data -mindepth 1 -maxdepth 1 ! -name sample -exec rm -rf {} +
