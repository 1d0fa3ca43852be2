# Everything that people and CI type. Each target makes the environment it needs in .venv, from constraints.txt alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help demo test lint lab bench convergence faults new docs constraints clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(READY)  ## five incidents, from the pasted error to the documented fix
	@$(BIN)/mendbook demo

test: $(READY)  ## the tests
	@$(BIN)/python -m pytest -n auto

lint: $(READY)  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lab: $(READY)  ## the notebooks in JupyterLab
	@$(BIN)/mendbook lab

bench: $(READY)  ## what is fast, as ratios measured in one run
	@for each in snapshot diff diagnose sweep; do echo "== $$each"; $(BIN)/python benchmarks/$$each.py || exit 1; done

convergence: $(READY)  ## every change of a large schema, and 500 random pairs of schemas, made equal both ways (takes an hour)
	@MENDBOOK_EVERY=1 MENDBOOK_EXAMPLES=500 $(BIN)/python -m pytest -n auto tests/schema/test_mutations.py tests/schema/test_generated.py

faults: $(READY)  ## repairs and rollbacks killed at every line and at 200 instants, for every runbook (takes hours)
	@$(BIN)/python -m tests.faults

new: $(READY)  ## start a runbook: make new NAME=orders-shipped-at
	@$(BIN)/mendbook runbooks new "$(NAME)"

docs: $(READY)  ## write the rendered parts of README.md and the runbooks' JSON Schema anew
	@$(BIN)/python -m tests.rendered

constraints: $(READY)  ## resolve every dependency anew, with hashes
	@$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--all-extras --upgrade pyproject.toml -o constraints.txt

clean:  ## remove the environment
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mendbook needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@echo "Making the environment in $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is not complete (on Debian: apt install python3-venv)."; exit 1; }
	@sed -n '/^uv==/,/[^\\]$$/p' constraints.txt > $(VENV)/uv.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r constraints.txt
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
