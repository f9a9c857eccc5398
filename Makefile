# `make run` and `make test` are all that a newcomer types; both set up what they need first.
# PYTHON=/path/to/python3.13 chooses the interpreter for the environment.

PY := .venv/bin/python
TEMPLATE_PY := .venv-template/bin/python
SOURCES := functions shared infra bench tests

# Where `make run` serves.
PORT ?= 8000
# What `make test` runs, and with how many processes.
TESTS ?= tests
WORKERS ?= 2
# How many seeds `make simulate` plays; SEED=17 repeats one and tells what happened.
SEEDS ?= 20
# Where the customers of `make simulate` and `make crash` pay: sandbox, stripe or cardpointe, and in
# the simulation also mixed.
PROVIDER ?= sandbox
# How many subscriptions `make renewals` renews in one night.
RENEWALS ?= 10000
# What `make build` builds for: the template's own runtime and architecture.
ARCH ?= arm64
RUNTIME ?= 3.13

export PORT
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help run test simulate crash renewals mutants bench check format build artefact smoke lock setup-local setup-test setup-template clean

help:
	@echo 'make run     serve everything on 127.0.0.1 with demo data (PORT=$(PORT))'
	@echo 'make test    run the tests (TESTS=tests/unit, WORKERS=2)'
	@echo 'make simulate  months of a small merchant with everything going wrong (SEEDS=500, or SEED=17; PROVIDER=stripe)'
	@echo 'make crash     each outside call of each operation times everything that can go wrong with it (PROVIDER=stripe)'
	@echo 'make renewals  a night of renewals at Stripe within its rate limits (RENEWALS=$(RENEWALS))'
	@echo 'make mutants   take guards out one at a time, and show what notices'
	@echo 'make bench   what it costs and how fast it is: build/bench.json (QUICK=1, SMALL=1 for less of it)'
	@echo 'make check   lint, format, types, import rules, template'
	@echo 'make format  put the code in its format'
	@echo 'make build   make build/app, which is what is deployed (ARCH=arm64, RUNTIME=3.13)'
	@echo 'make smoke   look at a deployment from outside (URL=https://…, KNOWN=address, PROVIDER=stripe)'
	@echo 'make lock    write requirements/*.lock anew (UPGRADE=1 takes newer versions)'
	@echo 'make clean   remove what all of these made'

run: setup-local
	@$(PY) -m infra.local.serve

test: setup-test
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup $(TESTS)

simulate: setup-test
	@$(PY) -m tests.simulation --provider $(PROVIDER) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

crash: setup-test
	@$(PY) -m tests.simulation.crash_sweep --provider $(PROVIDER) --jobs $(WORKERS)

renewals: setup-test
	@$(PY) -m tests.pacing --renewals $(RENEWALS)

mutants: setup-test
	@$(PY) -m tests.simulation.mutants

# Round trips, capacity, CPU, growth and dollars, with the limit of each. Slow is no failure.
bench: setup-test
	@$(PY) -m bench $(if $(QUICK),--quick) $(if $(SMALL),--small)

check: setup-test-python setup-template
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(SOURCES)
	$(PY) -m pytest -q tests/unit/test_imports.py tests/build/test_locks.py
	$(TEMPLATE_PY) .venv-template/bin/cfn-lint template.yaml
	@mkdir -p build
	@$(PY) -m infra.snapstart --into build/template-snapstart.yaml >build/snapstart.txt
	$(TEMPLATE_PY) .venv-template/bin/cfn-lint build/template-snapstart.yaml
	AWS_DEFAULT_REGION=us-east-1 $(TEMPLATE_PY) -m samcli validate --lint --template template.yaml
	@if [ -e infra/openapi.py ]; then set -x; $(PY) -m infra.openapi --check; fi

format: setup-test-python
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

build: setup-local
	$(PY) -m infra.build --arch $(ARCH) --python $(RUNTIME)

# From outside, against a deployment: make smoke URL=https://… (KNOWN=…, PROVIDER=…)
smoke: setup-local
	@$(PY) -m infra.smoke "$(URL)" --known "$(KNOWN)" --provider "$(PROVIDER)"

# What `sam build` asks for, once for each function: the artefact of FUNCTION at INTO.
artefact: setup-local
	@$(PY) -m infra.sam.place "$(INTO)" --function "$(FUNCTION)" --arch $(ARCH) --python $(RUNTIME)

lock: setup-local
	infra/setup/lock.sh

clean:
	rm -rf build node_modules .venv .venv-template .mypy_cache .ruff_cache .pytest_cache .hypothesis

setup-local:
	@infra/setup/python.sh local

.PHONY: setup-test-python
setup-test-python:
	@infra/setup/python.sh test

setup-test:
	@infra/setup/debian.sh
	@infra/setup/python.sh test
	@infra/setup/node.sh

setup-template:
	@infra/setup/python.sh template
