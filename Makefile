# What a person types. Everything is made inside this folder: .venv for the packages, var for the data.

PYTHON ?= python3
VENV   := .venv
PIP    := $(VENV)/bin/python -m pip --disable-pip-version-check --no-input -q

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(VENV)/ready  ## serve the demo at http://127.0.0.1:8000/
	@VEXAR_DEMO=$${VEXAR_DEMO:-on} exec $(VENV)/bin/python -m vexar.cli run

test: $(VENV)/ready-dev  ## all tests; brings MariaDB, Redis and Chromium when it may
	@bin/test-packages
	@$(VENV)/bin/python -m pytest -q; code=$$?; [ $$code = 1 ] || exit $$code; \
	    echo "These failed; once more, with the machine to themselves:"; \
	    $(VENV)/bin/python -m pytest -v --last-failed --last-failed-no-failures none

check: $(VENV)/ready-dev  ## lint, compile, import rules, docs that tell the truth
	$(VENV)/bin/ruff check .
	$(VENV)/bin/python -m compileall -q app.py wsgi.py config.py gunicorn.conf.py vexar tests bench
	$(VENV)/bin/python -m pytest -q tests/test_imports.py $(wildcard tests/test_docs*.py) tests/test_config.py

bench: $(VENV)/ready-dev  ## every performance promise, measured on this machine
	@set -e; for bench in $(sort $(wildcard bench/[a-z]*.py)); do echo "== $$bench"; $(VENV)/bin/python $$bench; done

clean:  ## remove what make made; your data in var stays
	rm -rf $(VENV) .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Written last, so that an interrupted installation is done again.
$(VENV)/ready: requirements.txt constraints.txt | $(VENV)/bin/pip
	@echo "Installing packages into $(VENV) (once; about a minute) ..."
	@$(PIP) install -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/ready-dev: requirements-dev.txt $(VENV)/ready
	@echo "Installing the packages of the tests ..."
	@$(PIP) install -r requirements-dev.txt -c constraints.txt
	@touch $@

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "Vexar needs Python 3.11 or newer as $(PYTHON) (or say: make run PYTHON=python3.12)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

.PHONY: help run test check bench clean
