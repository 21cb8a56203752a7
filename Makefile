# Two commands: `make demo` shows it, `make test` proves it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test quick golden fuzz

demo: .venv/user
	$(BIN)/masktrail demo --out out/demo

# a process for every core, each with one thread: more would wait for one another
test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal

# the same without what takes long: a minute
quick: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal -m "not slow"

# J and area of the painted clips, stored anew where models or what they do changed; MODELS="unet"
MODELS ?=
golden: .venv/dev
	PYTHONPATH=tests:benchmarks OMP_NUM_THREADS=1 $(BIN)/python -m golden $(MODELS)

# ten minutes of inputs as they should not be; MINUTES=1 for less, SEED=7 for the same again
MINUTES ?= 10
SEED ?= 0
fuzz: .venv/dev
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m fuzz --minutes $(MINUTES) --seed $(SEED)

.venv/bin/python:
	$(PYTHON) -m venv .venv

# a stamp per kind of installation, renewed when what is to be installed changes
.venv/user: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[flow,export,web]'
	touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@
