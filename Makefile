# Everything from a fresh clone with Python, git and make alone.
PYTHON ?= python3
BIN := .venv/bin

#: The fast tests, each of which rests on a dependency: DuckDB, pandas, arch, vectorbt, typer.
FLOORS := $(addprefix tests/, store/test_store.py importing/test_import_files.py \
	store/test_price_vintages.py importing/test_sec_facts.py evidence/test_metrics.py \
	evidence/test_bootstrap.py engine/test_engine.py cli/test_init.py signals/test_hysteresis.py)

.PHONY: help run docs test test-docs test-floors lint types build clean

help:
	@echo "make run    environment, install, one backtest and its tearsheet"
	@echo "make test   environment, install, the test suite"
	@echo "make docs   environment, install, the documentation site in build/site"
	@echo "make test-docs   environment, install, the commands and snippets of the documentation"
	@echo "make test-floors   its fast part on the lowest versions declared"
	@echo "make lint   ruff;  make types   mypy;  make build   wheel and sdist, checked"

.venv/.run: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.dev: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -e ".[test,dev,docs]"
	@touch .venv/.run $@

run: .venv/.run
	$(BIN)/drypowder run near-cash-flow

# Strict and without network. The site works as files and on any web server.
docs: export NO_MKDOCS_2_WARNING = 1
docs: .venv/.dev
	$(BIN)/mkdocs build --quiet --strict
	@echo "build/site/index.html"

# The tests run in one process more than there are cores, so each process computes with one thread.
test test-docs test-floors: export OMP_NUM_THREADS = 1
test test-docs test-floors: export OPENBLAS_NUM_THREADS = 1

test: .venv/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not docs"

test-docs: .venv/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m docs tests/test_docs.py

# On the lowest versions that setup.cfg declares.
build/floors: setup.cfg pyproject.toml | .venv/.dev
	rm -rf $@
	$(BIN)/uv venv --quiet --python $(BIN)/python $@
	$(BIN)/uv pip install --quiet --python $@/bin/python --resolution lowest-direct -e ".[test]"
	@touch $@

test-floors: build/floors
	build/floors/bin/python -m pytest -n auto --dist loadfile -m "not history and not browser" $(FLOORS)

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

build: .venv/.dev
	rm -rf dist
	$(BIN)/python -m build --quiet --installer uv
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m benchmarks.wheel dist

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
