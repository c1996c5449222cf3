# Every target is one command of the local stack (dev/), so that there is one place where things are done.
# `make` alone lists the targets. Further arguments: make test ARGS="tests/dev -x"

PYTHONS := .venv/bin/python python3.12 python3.13 python3.14 python3
# The first Python that starts and is new enough; pyenv has stand-ins for versions that are not there.
PYTHON = $(firstword $(foreach python,$(PYTHONS),$(shell $(python) -c 'import sys; print("$(python)" if sys.version_info >= (3, 12) else "")' 2>/dev/null)))
DEV = $(if $(PYTHON),$(PYTHON) -m dev,$(error Python 3.12 or newer is missing. Install it with: apt-get install python3 (Debian 13 or newer), or: pyenv install 3.12))
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test serve stop lab bench lint format docs package baseline check clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## Set everything up and run the main job on sample data
	$(DEV) demo $(ARGS)

test: ## Run the tests on all cores
	$(DEV) test $(ARGS)

serve: ## Start NetBox in the background and print its address and login
	$(DEV) serve $(ARGS)

stop: ## Stop exactly what was started
	$(DEV) stop

lab: ## Start the demo's peering LAN with real routers (needs root)
	$(DEV) lab $(ARGS)

bench: ## Run the benchmarks and write benchmarks/results.json
	$(DEV) bench $(ARGS)

lint: ## Check style, formatting, types, import rules and missing migrations
	$(DEV) lint

format: ## Put the code into the project's format
	$(DEV) format

docs: ## Build the documentation; a warning fails
	$(DEV) docs

package: ## Build wheel and sdist, and try each in an empty environment beside NetBox
	$(DEV) package

baseline: ## Rebuild the dump of an empty, migrated NetBox (minutes)
	$(DEV) baseline

check: ## Everything that continuous integration runs
	$(DEV) check

clean: ## Stop everything; remove databases, builds and caches (.venv stays)
	$(DEV) clean
