# Every target works from a fresh clone: it makes its own environment in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo year test check format bench stack schemas clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@echo "Setting up the environment in $(VENV) (once, about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bo-worker needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,embedded,uvloop]'
	@touch $@

setup: $(STAMP) ## make the environment in .venv

demo: $(STAMP) ## real Kafka and Postgres, real orders, and what the worker makes of them
	@$(BIN)/bo-worker demo $(ARGS)

year: $(STAMP) ## a year of a shop, audited each day (ARGS="--days 30" for a month)
	@$(BIN)/bo-worker year $(ARGS)

test: $(STAMP) ## every test, on real servers
	@$(BIN)/python -m pytest $(ARGS)

check: $(STAMP) ## format, lint, types, layers, tidiness and the tests that need no server (< 20 s)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .lint-imports.log 2>&1 || (cat .lint-imports.log; rm -f .lint-imports.log; exit 1)
	@rm -f .lint-imports.log
	@$(BIN)/python -m pytest -q -n auto tests/test_tidy.py tests/unit tests/property tests/contract

format: $(STAMP) ## format the code and mend what can be mended
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

bench: $(STAMP) ## the benchmarks, side by side with a per-message worker
	@$(BIN)/python -m benchmarks $(ARGS)

stack: $(STAMP) ## embedded Kafka and Postgres until Ctrl-C
	@$(BIN)/bo-worker stack

schemas: $(STAMP) ## write schemas/ anew from the code
	@$(BIN)/python -m bo_worker.messages.schema schemas

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
