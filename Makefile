# Every command exists once, here; hooks, CI and the README call these.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-server check lint types contracts prove prove-long simulate simulate-long simulate-mutants prove-guards mutants bench bench-large lock clean

help:            ## what can be done here
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.runtime  ## the main job, on this machine, with test money (SCRIPT=1 plays a story in the terminal)
	$(BIN)/smoney demo $(if $(SCRIPT),--script)

test: $(VENV)/.dev      ## all tests but the slow proofs, in under five minutes on two cores
	$(PYTEST) -n 2 -m "not prove"

lint: $(VENV)/.dev      ## ruff, both as linter and as formatter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev     ## mypy, strict
	$(BIN)/mypy

contracts: $(VENV)/.dev ## which room may import which
	$(BIN)/lint-imports --no-cache

check: lint types contracts test  ## everything a change must pass

test-server: $(VENV)/.dev  ## the ledger's tests on the PostgreSQL that TEST_POSTGRESQL_URL names (15 or later)
	@test -n "$$TEST_POSTGRESQL_URL" || { echo "set TEST_POSTGRESQL_URL=postgresql://USER@/postgres?host=/its/socket" >&2; exit 2; }
	$(PYTEST) -n 2 -m "not prove" -k postgresql tests/integration/ledger tests/property/ledger tests/unit/migrations

# Where the bot speaks to the sandbox over HTTP: once more with X's newer names.
OVER_THE_WIRE := tests/integration/x tests/integration/web/test_webhook.py tests/integration/payments/test_canaries.py \
  tests/integration/keeping/test_commands.py tests/e2e
prove: $(VENV)/.dev     ## the slow proofs, a fixed sample of at most 15 minutes
	$(PYTEST) -n 2 -m "prove and not long" --timeout 900
	TEST_NEWER_NAMES=1 $(PYTEST) -n 2 -m "not prove and not browser" $(OVER_THE_WIRE)

prove-long: $(VENV)/.dev  ## the slow proofs in full
	SMONEY_PROVE=long $(PYTEST) -m prove --timeout 0

SEED ?= 1
STEPS ?= 50000
simulate: $(VENV)/.dev  ## plays a town in which everything goes wrong (SEED=, STEPS=, MUTANT=)
	$(BIN)/python -m tests.simulation play --seed $(SEED) --steps $(STEPS) $(if $(MUTANT),--mutant $(MUTANT))

simulate-long: $(VENV)/.dev  ## the same to 5,000,000 steps; goes on where it stopped (build/simulation.json)
	$(BIN)/python -m tests.simulation long --steps 5000000

simulate-mutants: $(VENV)/.dev  ## puts small bugs in, one after another; a line of JSON each, an error if one survives
	$(BIN)/python -m tests.simulation mutants --steps 50000

prove-guards: $(VENV)/.dev  ## takes every guard of docs/threats.md away in turn; a line of JSON each, an error if its test stays green
	$(BIN)/python -m tests.guards
mutants: $(VENV)/.dev   ## every small fault put into the ledger: do its tests notice? (hours; can be stopped and started)
	$(BIN)/python -m tests.mutation

bench-large: $(VENV)/.dev  ## the same with 1,000,000 accounts and 5,000,000 transfers or payments present (a quarter of an hour)
	$(BIN)/python -m tests.benchmarks.large
	$(BIN)/python -m tests.benchmarks.self_check
	$(BIN)/python -m tests.benchmarks.whole_way large

bench: $(VENV)/.dev     ## how fast the ledger and the reader are, beside raw baselines in the same run
	$(BIN)/python -m tests.benchmarks.ledger
	$(BIN)/python -m tests.benchmarks.bench_reader
	$(BIN)/python -m tests.benchmarks.whole_way
	$(BIN)/python -m tests.benchmarks.idle

lock: $(VENV)/.dev      ## write both lock files anew, for every platform, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --no-emit-index-url --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --no-emit-index-url --extra build --extra dev -c requirements.lock \
	  pyproject.toml -o requirements-dev.lock

clean:           ## forget everything that was built
	rm -rf $(VENV) build .smoney .pytest_cache .mypy_cache .ruff_cache

# The environment is made from the lock files alone, hashes checked; the project itself is installed in place by
# the locked build backend, so that nothing unlocked is ever fetched.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@
