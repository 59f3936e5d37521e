# `make` alone prints the targets. Everything is installed into .venv from the lock files, by .ci/install, and only once.

python := .venv/bin/python -m
bihuan := .venv/bin/bihuan
lock   := $(python) uv pip compile --quiet --no-config --universal --python-version 3.11.0 --generate-hashes --no-header $(ARGS) pyproject.toml

.PHONY: help demo serve test check torture bench locks clean
.NOTPARALLEL:
unexport PYTHONHOME PYTHONPATH

help: ## print these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s%s\n", $$1, $$2 }' Makefile

demo: ## install, load the sample, serve it on 127.0.0.1:8000 (ARGS=--no-serve prints it and ends)
	@sh .ci/install requirements
	@$(bihuan) demo $(ARGS)

serve: ## serve pages and API on your own data (ARGS="--port 9000" and so on)
	@sh .ci/install requirements
	@$(bihuan) serve $(ARGS)

test: ## install what tests need and run them all, on every core (ARGS="-k revisit" for some)
	@sh .ci/install dev
	@$(python) pytest -q -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: ## format, lint, types, layers, spelling, house rules
	@sh .ci/install dev
	$(python) ruff format --check
	$(python) ruff check
	$(python) mypy
	$(python) pytest -q tests/architecture
	$(python) codespell_lib

torture: ## kill -9 in the middle of writing, and look for what was lost (ARGS="--rounds 20")
	@sh .ci/install dev
	@$(python) tests.torture $(ARGS)

bench: ## measure, with the yardsticks beside it
	@sh .ci/install dev
	@sh .ci/install bench
	@$(python) tests.benchmarks $(ARGS)

locks: ## pin anew what pyproject.toml asks for (ARGS=--upgrade for the newest of everything)
	@sh .ci/install dev
	$(lock) --output-file requirements.lock
	$(lock) --extra dev --constraint requirements.lock --output-file dev.lock
	$(lock) --extra bench --constraint dev.lock --output-file bench.lock

clean: ## remove .venv and what the tools keep; the data in .bihuan stays
	rm -rf .venv .*_cache .hypothesis .coverage htmlcov build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
