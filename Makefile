# Everything lives in .venv, which each target makes and updates by itself.
#   make run     installs, fetches models, watches $(FOLDER), serves page and API
#   make test    every check and every test, with real models
#   make check   format, lint, types, import rules, fast tests; the page's JavaScript too, where npm is
#   make docs    builds the pages of docs/ as a site, in build/site
#   make lock    writes deploy/requirements.txt anew: constraints.txt with hashes, for all platforms
#   make clean   removes what the others have made here (models and data stay)

PYTHON ?= python3
FOLDER ?= sample_docs
BIN := .venv/bin
PAGE := tests/server/static
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-compile --find-links .venv/wheels --constraint constraints.txt

.PHONY: run test check page docs lock clean models

run: .venv/installed
	$(BIN)/kb serve $(FOLDER)

check: .venv/developing page
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses 2 -m "not models and not browser and not slow"

# In CI nothing is passed over.
page:
	@if command -v npm >/dev/null; then \
		$(MAKE) --silent $(PAGE)/node_modules/installed \
		&& $(PAGE)/node_modules/.bin/eslint --config $(PAGE)/eslint.config.js server/static \
		&& $(PAGE)/node_modules/.bin/tsc --project $(PAGE); \
	elif [ -n "$$CI" ]; then echo "The page's JavaScript cannot be checked: npm is not there; install Node.js."; exit 1; \
	else echo "npm is not there: the page's JavaScript is not checked."; fi

test: check
	$(BIN)/pytest --numprocesses 2 -m "(browser or slow) and not models"
	$(BIN)/pytest -m models

docs: .venv/documenting
	$(BIN)/sphinx-build -W -q -b html docs build/site
	@echo "The site is in build/site/index.html."

lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip --disable-pip-version-check install --quiet uv
	build/lock/bin/uv pip compile pyproject.toml --constraint constraints.txt --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" --output-file deploy/requirements.txt --quiet

clean:
	rm -rf .venv $(PAGE)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

$(PAGE)/node_modules/installed: $(PAGE)/package.json $(PAGE)/package-lock.json
	npm ci --prefix $(PAGE) --no-audit --no-fund --loglevel error
	@touch $@

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing (the first time this takes some minutes) …"
	@$(MAKE) --no-print-directory --jobs=2 .venv/llama.log models
	$(INSTALL) --editable .
	@touch $@

.venv/developing: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing (the first time this takes some minutes) …"
	@$(MAKE) --no-print-directory --jobs=2 .venv/llama.log .venv/others.txt
	$(INSTALL) --editable '.[dev]'
	@touch $@ .venv/installed

# llama.cpp is compiled, but for what of it is never used, while all else is fetched and installed, and then the models.
.venv/llama.log: constraints.txt | .venv/bin/python
	@SKBUILD_CMAKE_DEFINE="CMAKE_PROJECT_llama_cpp_INCLUDE=$(CURDIR)/deploy/llama.cmake" \
		CMAKE_BUILD_PARALLEL_LEVEL=$${CMAKE_BUILD_PARALLEL_LEVEL:-$$(getconf _NPROCESSORS_ONLN)} \
		$(PIP) wheel --no-deps --prefer-binary --wheel-dir .venv/wheels --constraint constraints.txt llama-cpp-python \
		>.venv/llama.new || { cat .venv/llama.new; rm .venv/llama.new; exit 1; }
	@mv .venv/llama.new $@
	@grep -q "Building wheel" $@ && echo "llama.cpp was compiled for this machine." || echo "llama.cpp came as a wheel."

.venv/others.txt: pyproject.toml constraints.txt | .venv/bin/python
	@$(BIN)/python -c 'import tomllib; \
		needed = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]; \
		print(*(each for each in needed if "llama" not in each), sep="\n")' >.venv/others.new
	$(INSTALL) --requirement .venv/others.new
	@mv .venv/others.new $@

# Only as long as llama.cpp is being compiled: what is not here by then, `kb serve` fetches, and its page shows how far it is.
models: .venv/others.txt
	@$(BIN)/python -m server models pull & pull=$$!; \
		while [ -e .venv/llama.new ] && kill -0 $$pull 2>/dev/null; do sleep 1; done; \
		kill $$pull 2>/dev/null; wait $$pull || true

.venv/documenting: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) '.[docs]'
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "r1-kb needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	@mkdir -p .venv/wheels
