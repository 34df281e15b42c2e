# Everything a person runs. `make demo` and `make test` need nothing before them: they set up .venv first (setup.sh).
# What a command does is in the Python it starts; here stands only which one.

SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/ready
PACKAGES := cluster serve_apps batch api
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/uv pip compile pyproject.toml --quiet \
	--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --python-platform x86_64-manylinux_2_28

.PHONY: help demo test bench setup lock clean
.DEFAULT_GOAL := help

help: ## This list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: $(READY) ## Scan a sample library, search it, show what was found; leaves nothing running
	$(PYTHON) -m tests.demo

test: $(READY) ## Linters, types, import rules, then the tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PYTHON) -m mypy --strict $(addprefix -p ,$(PACKAGES))
	$(VENV)/bin/lint-imports
	@tests/browser/install.sh
	$(PYTHON) -m pytest -n 2

bench: $(READY) ## Our throughput beside the bare work's, on this machine
	$(PYTHON) -m tests.benchmarks

setup: $(READY) ## Only set .venv up

$(READY): requirements-dev.txt pyproject.toml setup.sh
	@./setup.sh $(VENV)
	@touch $@

lock: $(READY) ## Write requirements*.txt from pyproject.toml; UPGRADE=1 takes newer versions
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --output-file requirements-dev.txt
	$(COMPILE) --upgrade --constraints requirements-dev.txt --output-file requirements.txt

clean: ## Remove .venv and the tools' caches; photos and libraries are never touched
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
