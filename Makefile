# Two commands: `make book` builds the executed book, `make test` proves it. `make help` lists all.
# Works with GNU make 3.81 (macOS) and later.

PYTHON ?=
TORCH  ?= default
PORT   ?= 8000

BIN   := .venv/bin
RUN   := $(BIN)/python
STAMP := .venv/.installed-$(TORCH)

# Notebooks run alike on every machine: no personal IPython profile, no debugger's warnings.
export IPYTHONDIR := $(CURDIR)/_build/ipython
export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help book test serve bench experiments notebooks data environment check set-repository clean distclean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  variables: PYTHON=python3.12 (3.11 to 3.13)  TORCH=default|cpu|cu126|...  PORT=8000"

book: data  ## make the environment, fetch the data, run every notebook, build _build/html
	@$(RUN) -m tools.book

test: environment  ## all checks: lint, types, units, notebooks, the rendered book
	@$(RUN) -m tools.stages

serve: book  ## build the book and serve it at http://localhost:PORT
	@$(RUN) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

bench: data  ## the benchmarks against peers
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	@$(RUN) -m tools.benchmarks

experiments: data  ## measure what experiments/results lacks, such as all that you removed there
	@$(RUN) -m tools.experiments

notebooks: data  ## run every notebook in place and renew book/claims.md and book/status.md
	@$(RUN) -m tools.notebooks execute

data: environment  ## fetch the data sets into the cache
	@$(RUN) -m companion.datasets

environment: $(STAMP)
	@mkdir -p _build/ipython

$(STAMP): pyproject.toml constraints.txt
	@python=$$(sh tools/check_machine.sh "$(PYTHON)") || exit 1; \
	    test -x $(RUN) || "$$python" -m venv .venv
ifneq ($(TORCH),default)
	$(RUN) -m pip install --quiet --force-reinstall --no-deps --constraint constraints.txt \
	    --index-url https://download.pytorch.org/whl/$(TORCH) torch
endif
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@rm -f .venv/.installed-* && touch $(STAMP)

check:  ## say what this machine lacks, without installing anything
	@sh tools/check_machine.sh "$(PYTHON)" >/dev/null && echo "Nothing is missing."

set-repository:  ## write the repository's address everywhere: make set-repository URL=https://github.com/you/book
	@$(or $(PYTHON),python3) -m tools.set_repository "$(URL)"

clean:  ## remove what was built (the environment and the data stay)
	rm -rf _build book/api build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean  ## remove the environment as well
	rm -rf .venv companion.egg-info
