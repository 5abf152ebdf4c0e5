# Everything happens in .venv; `make test` and `make demo` set it up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait half of their time: twice as many processes as the machine that CI runs on has cores.
PROCESSES ?= 4
# Each of these has a sandbox of its own, with a dozen processes.
SANDBOXES ?= 2
SOURCES := sdk runtime infra tests bench examples app.py

.PHONY: demo test install lint types imports unit smoke e2e slow all-tests lock templates console console-test clean

demo: install
	$(BIN)/python -m bench.demo

test: lint types imports unit smoke

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

lint: install
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

unit: install
	$(BIN)/pytest -m 'not e2e and not slow' -n $(PROCESSES) --dist loadfile

smoke: install
	$(BIN)/pytest -m 'e2e and not slow' -n $(SANDBOXES) --dist worksteal tests/e2e tests/cases

e2e: install
	$(BIN)/pytest -m e2e -n $(SANDBOXES) --dist worksteal tests/e2e tests/cases

slow: install
	$(BIN)/pytest -m 'slow and not e2e' -n $(PROCESSES) --dist worksteal

all-tests: lint types imports unit slow e2e

lock: install
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev --group examples \
		--generate-hashes --no-emit-index-url --no-header --output-file requirements.lock pyproject.toml

# Node is needed for these two alone; what they build is committed.
console:
	cd console && npm ci --no-audit --no-fund && npm run build

console-test:
	cd console && npm ci --no-audit --no-fund && npm test

templates: install
	$(BIN)/python -m upwell_infra.export

clean:
	rm -rf $(VENV) build cdk.out .upwell
