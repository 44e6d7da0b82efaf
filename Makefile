# Two commands: `make demo` shows the main job, `make test` passes the tests. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that runs and is recent enough; override with PYTHON=…
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3.13 python3; do \
	$$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$candidate; break; }; done)

RUNTIME_STAMP := $(VENV)/.runtime-installed
DEV_STAMP := $(VENV)/.dev-installed
KERNEL_STAMP := $(VENV)/.kernels-compiled
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes

DEMO_ARGS ?=
SERVE_ARGS ?= --demo
TEST_ARGS ?=
BROWSER_ARGS ?=
BENCH_ARGS ?=

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11–3.13 found; install one or pass PYTHON=/path/to/python3"; exit 2; }
	@echo "Creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME_STAMP): requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing locked dependencies"
	@$(PIP) -r requirements/build.txt -r requirements/runtime.txt
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements/dev.txt requirements/tools.txt $(RUNTIME_STAMP)
	@echo "Installing locked test dependencies"
	@$(PIP) -r requirements/dev.txt
	@rm -rf .tools && $(PIP) --no-deps --target .tools -r requirements/tools.txt
	@touch $@

$(KERNEL_STAMP): $(wildcard planner/*.py planner/search/*.py sitl/*.py flight/links/mavlink/kernel.py) $(RUNTIME_STAMP)
	@echo "Compiling the kernels (once)"
	@$(BIN)/python -m planner.search.warm
	@$(BIN)/python -m sitl.warm
	@$(BIN)/python -m flight.links.mavlink.kernel
	@touch $@

.PHONY: setup
setup: $(RUNTIME_STAMP) $(KERNEL_STAMP) console ## Create the environment and build what must be built

.PHONY: node
node: $(BIN)/python
	@$(BIN)/python -m hub_api.console.build --has-node || { \
		echo "No Node ≥ 20.19 found: installing one from the Python index into $(VENV)/node"; \
		$(PIP) --no-deps --target $(VENV)/node -r requirements/node.txt; }

.PHONY: console
console: node ## Build the operators' console where its sources changed
	@$(BIN)/python -m hub_api.console.build

.PHONY: demo
demo: setup ## A 120 order in Bao'an becomes a delivered AED (DEMO_ARGS="--speedup 4 --order FILE --keep")
	@$(BIN)/drone-aed demo $(DEMO_ARGS)

.PHONY: serve
serve: setup ## Run the hub on loopback, in demo mode unless SERVE_ARGS says otherwise
	@$(BIN)/drone-aed serve $(SERVE_ARGS)

.PHONY: test
test: setup $(DEV_STAMP) ## Check style and imports, then run every test
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/browser $(TEST_ARGS)
	@# A process of its own: Playwright's loop stays in the thread that the other tests run theirs in. 5: no Chromium
	@# here, said above; with CI=true that has failed already.
	@$(BIN)/python -m pytest tests/browser $(BROWSER_ARGS) || [ $$? -eq 5 ]

.PHONY: check
check: $(DEV_STAMP) ## Style, types and the import rule
	@$(BIN)/ruff format --check --quiet . || { echo "run 'make format'"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory node
	@$(BIN)/python -m hub_api.console.build --check

.PHONY: format
format: $(DEV_STAMP) ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: bench
bench: setup $(DEV_STAMP) ## Measure against the peers; prints a table and writes bench.json
	@$(BIN)/python -m bench $(BENCH_ARGS)

CAMPAIGN_ARGS ?= --seeds 25 --jobs 2

.PHONY: campaign
campaign: setup $(DEV_STAMP) ## Every fault in every phase, 25 seeds; stops at the first broken invariant (CAMPAIGN_ARGS="--seeds 2")
	@$(BIN)/python -m proving_ground.campaign $(CAMPAIGN_ARGS)

LIBRARY_ARGS ?= --seeds 5 --jobs 2

.PHONY: campaign-library
campaign-library: setup ## The whole library of scenarios, 5 seeds each (LIBRARY_ARGS="--seeds 25 --html report.html")
	@$(BIN)/drone-aed sim run $(LIBRARY_ARGS)

.PHONY: campaign-seeds
campaign-seeds: setup $(DEV_STAMP) ## A thousand random worlds: every order ends, every invariant holds (SEEDS_ARGS="--seeds 50")
	@$(BIN)/python -m proving_ground.seeds $(SEEDS_ARGS)

.PHONY: campaign-planner
campaign-planner: setup $(DEV_STAMP) ## A million airspace questions and 100,000 routes against independent judges (about ten minutes)
	@$(BIN)/python -m tests.campaign.geofence_questions --questions 1000000 --segments 20000 --seed 1
	@$(BIN)/python -m tests.campaign.route_campaign --routes 100000 --seed 1000

.PHONY: campaign-links
campaign-links: setup $(DEV_STAMP) ## 10,000 lossy runs: nothing dangerous is commanded twice (about a minute)
	@$(BIN)/python -m tests.campaign.lossy_commands --runs 10000 --seed 1

STORM_ARGS ?= --orders 10000 --seed 1

.PHONY: campaign-orders
campaign-orders: setup $(DEV_STAMP) ## 10,000 doubled and reordered orders on each database: exactly one mission each (STORM_ARGS="--orders 500")
	@$(BIN)/python -m tests.campaign.order_storm --database sqlite $(STORM_ARGS)
	@$(BIN)/python -m tests.campaign.order_storm --database postgresql $(STORM_ARGS)

.PHONY: campaign-kill
campaign-kill: setup $(DEV_STAMP) ## kill -9 at every step of an order's and an incident's life, on both databases (about half an hour)
	@$(BIN)/python -m tests.campaign.kill_steps $(KILL_ARGS)

.PHONY: conformance
conformance: setup $(DEV_STAMP) ## Fly every verb on the real autopilots that DRONE_AED_ARDUCOPTER and DRONE_AED_PX4 name (software-in-the-loop)
	@$(BIN)/python -m tests.conformance.real $(TEST_ARGS)

.PHONY: screenshots
screenshots: setup $(DEV_STAMP) ## Take the pictures of the console that the README shows (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots docs/images

.PHONY: docs
docs: $(DEV_STAMP) ## Regenerate state diagrams, OpenAPI, settings, error and fault pages
	@$(BIN)/python -m flight.model.diagram docs/state-machines.md
	@$(BIN)/python -m hub_api.openapi > docs/openapi.json
	@$(BIN)/python -m hub_api.reference docs
	@$(BIN)/python -m proving_ground.fault_page docs/faults.md

.PHONY: lock
lock: $(BIN)/python ## Resolve the lock files anew (hashes, no index addresses)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		requirements/build.in -o requirements/build.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate --no-header \
		requirements/peers.in -o requirements/peers.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		requirements/node.in -o requirements/node.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		pyproject.toml -o requirements/runtime.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt

.PHONY: clean
clean: ## Remove the environment, caches and records
	rm -rf $(VENV) .venv-peers .tools .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache *.egg-info flight-records bench.json
	rm -rf hub_api/console/dist hub_api/console/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
