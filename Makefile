# Thin over tasks.py, which also works where there is no make.
PYTHON ?= python3

.PHONY: help setup demo test bench fmt lint lock

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 8

setup: ## prepare .venv and everything else
	@$(PYTHON) tasks.py setup

demo: ## set-up, load demo data, serve the hub
	@$(PYTHON) tasks.py demo $(ARGS)

test: ## set-up, then all checks and tests (SUITES="sqlite browser" for some)
	@$(PYTHON) tasks.py test $(SUITES)

bench: ## set-up, then the figures (NAME=foundation for some)
	@$(PYTHON) tasks.py bench $(NAME) $(ARGS)

fmt: ## format the code and mend what can be mended
	@$(PYTHON) tasks.py fmt

lint: ## all checks, without tests
	@$(PYTHON) tasks.py lint

lock: ## write requirements/*.txt anew from pyproject.toml
	@$(PYTHON) tasks.py lock
