# The two commands that matter are `make demo` and `make test`; `make` alone lists the rest.
# Everything lives in .venv; only `make test` as root touches the system, to install real brokers.

# The first Python on the path that is new enough. Override: make PYTHON=/path/to/python3.12 test
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	command -v $$p >/dev/null 2>&1 \
	&& $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
# Most tests wait most of the time: two workers more than cores keep the cores busy.
WORKERS ?= $(shell echo $$(($$(nproc) + 2)))
ARGS ?=

# A stamp is newer than what it was made from, so a second run installs nothing.
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed

.PHONY: help demo test lint check sim plants soak bench constraints clean
.DEFAULT_GOAL := help

# Where it is set, each of the many programs that tests start would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

demo: $(RUN) ## a whole simulated station for one minute; ARGS="--minutes 0" runs until stopped
	$(VENV)/bin/gatewayd demo $(ARGS)

test: $(DEV) ## every test, on real brokers, sockets and files; ARGS goes to pytest
	@.ci/packages mosquitto=mosquitto mosquitto_sub=mosquitto-clients openssl=openssl cc=gcc swig=swig umockdev-run=umockdev \
		pcscd=pcscd '/usr/lib/pcsc/drivers/serial/libifdvpcd.so*=vsmartcard-vpcd' \
		/usr/include/PCSC/winscard.h=libpcsclite-dev '/usr/lib/*/libusb-1.0.so.0=libusb-1.0-0' \
		'/usr/lib/postgresql/*/bin/postgres=postgresql' chromium=chromium
	@.ci/extras $(VENV) hid=evdev pcsc=smartcard
	$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: $(DEV) ## ruff, mypy --strict and the floors
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

check: lint test ## what a change must pass

sim: $(DEV) ## simulated histories under faults until stopped; SEED=n lives one again and tells it
	$(PY) -m tests.histories.main $(if $(SEED),--seed $(SEED)) $(ARGS)

plants: $(DEV) ## plant small faults in the safety path, one by one, and show who catches each
	$(PY) -m tests.plants.main $(ARGS)

soak: $(DEV) ## real faults on real parts: 1,000 kills and more, an hour of memory; ARGS="--only kills"
	@.ci/packages mosquitto=mosquitto mosquitto_sub=mosquitto-clients
	$(PY) -m tests.soak.main $(ARGS)

bench: $(DEV) ## measure, and print numbers with the machine they are from
	$(PY) tests/bench/main.py $(ARGS)

constraints: $(DEV) ## resolve the pinned versions anew (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --python-version 3.11 --upgrade --quiet \
		--no-header --no-annotate --no-emit-index-url --output-file constraints.txt

clean: ## remove everything that was made here
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): pyproject.toml constraints.txt
	@.ci/python '$(PYTHON)' $(VENV)
	$(PIP) install --quiet --upgrade 'pip>=25.1'
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(DEV): $(RUN)
	$(PIP) install --quiet --constraint constraints.txt --group dev
	@touch $@
