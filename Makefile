# Everything lives in .venv, which each target makes and updates by itself.
#   make run     installs, fetches models, watches $(FOLDER), serves page and API
#   make test    every check and every test, with real models
#   make check   format, lint, types, import rules, fast tests
#   make clean   removes what the others have made here (models and data stay)

PYTHON ?= python3
FOLDER ?= sample_docs
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: run test check clean

run: .venv/installed
	$(BIN)/kb serve $(FOLDER)

check: .venv/developing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses 2 -m "not models and not browser and not slow"

test: check
	$(BIN)/pytest --numprocesses 2 -m "(browser or slow) and not models"
	$(BIN)/pytest -m models

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing (the first time this takes some minutes: llama.cpp is compiled for this machine) …"
	$(PIP) --editable .
	@touch $@

.venv/developing: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing (the first time this takes some minutes: llama.cpp is compiled for this machine) …"
	$(PIP) --editable '.[dev]'
	@touch $@ .venv/installed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "r1-kb needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
