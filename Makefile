# Two commands: `make demo` shows it, `make test` proves it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint

demo: .venv/user
	$(BIN)/masktrail demo --out out/demo

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

.venv/bin/python:
	$(PYTHON) -m venv .venv

# a stamp per kind of installation, renewed when what is to be installed changes
.venv/user: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[flow,export,web]'
	touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@
