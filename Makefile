# Everything from a fresh clone with Python, git and make alone.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run test lint types build clean

help:
	@echo "make run    environment, install, one backtest and its tearsheet"
	@echo "make test   environment, install, the test suite"
	@echo "make lint   ruff;  make types   mypy;  make build   wheel and sdist"

.venv/.run: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.dev: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test,dev]"
	@touch .venv/.run $@

run: .venv/.run
	$(BIN)/drypowder run near-cash-flow

test: .venv/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

build: .venv/.dev
	rm -rf dist
	$(BIN)/python -m build --quiet

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
