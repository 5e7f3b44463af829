# Two commands: `make serve` runs the service, `make test` runs every test. Both set up what they
# need in .venv, once. Variables from the environment (HOST, PORT, WORKERS, CHUNKED_UPLOAD_*) reach
# the server.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN = .venv/bin
JOBS ?= auto

.PHONY: serve test lint types coverage wheel clean

serve: .venv/serve
	$(BIN)/chunked-upload serve

test: .venv/test
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

coverage: .venv/test
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term $(ARGS)

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test
	$(BIN)/mypy

wheel: .venv/test
	$(BIN)/python -m build --wheel

clean:
	rm -rf .venv build dist

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and was not found"; exit 1; }
	$(PYTHON) -m venv .venv

# The sqlite extra has no wheel on every platform; the server works without it.
.venv/serve: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[sqlite]' \
		|| $(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

.venv/test: .venv/serve
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,postgresql,login,gunicorn]'
	@touch $@
