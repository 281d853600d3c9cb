# Everything starts from here; `make` alone lists the targets. Needs Python 3.11 or later with its venv module.
# Python: make PYTHON=/path/to/python run

PYTHON ?= python3.13 python3.12 python3.11 python3 python3.14
VENV := .venv
BIN := $(VENV)/bin
LOCKS := deploy/locks
READY := $(VENV)/.ready
CONSOLE := monitor/console
PARTS := $(CONSOLE)/node_modules/.package-lock.json
BUILT := $(CONSOLE)/dist/index.html
NPM := deploy/dev/node.sh npm --prefix $(CONSOLE)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --annotation-style line \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
# what is installed where the image is made
IMAGE := documents kafka notify postgres

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lint console bench quality soak lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) $(BUILT) ## Start the service with the demo streams; it prints where to look
	$(BIN)/redpost serve --demo --data data

test: $(READY) $(BUILT) ## Run the tests; with CI=true a skipped test is a failure
	$(BIN)/pytest -m "not soak" -n 2 --dist loadfile --durations 25 $(if $(filter true,$(CI)),-p tests.no_skips)

lint: $(READY) $(PARTS) ## Check style, types, layers and purity
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/architecture/test_purity.py
	$(NPM) run check

console: $(BUILT) ## Build the console

bench: $(READY) ## Measure the engine, the service, scan, the loading of rules and the classifier; writes bench.json
	$(BIN)/python -m tests.bench.engine
	$(BIN)/python -m tests.bench.service
	$(BIN)/python -m tests.bench.scan
	$(BIN)/python -m tests.bench.loading
	$(BIN)/python -m tests.bench.classifier

quality: $(READY) ## Measure the shipped packs on lines that may be read, and the corpus; writes quality.json
	$(BIN)/python -m tests.quality.evaluate dev
	$(BIN)/python -m tests.quality.evaluate kappa
	$(BIN)/python -m tests.quality.stream --json quality.json
	$(BIN)/python -m tests.corpus.report

soak: $(READY) ## Run the tests with the large counts; takes long
	$(BIN)/pytest -m soak --durations 25

lock: $(READY) ## Bring the locked dependencies in line with pyproject.toml; UPGRADE=1 takes the newest
	$(COMPILE) pyproject.toml --output-file $(LOCKS)/run.txt
	$(COMPILE) pyproject.toml --extra dev --constraint $(LOCKS)/run.txt --output-file $(LOCKS)/dev.txt
	$(COMPILE) pyproject.toml $(IMAGE:%=--extra %) --constraint $(LOCKS)/dev.txt --output-file $(LOCKS)/image.txt
	printf 'hatchling\nsetuptools\n' | $(COMPILE) - --constraint $(LOCKS)/dev.txt --output-file $(LOCKS)/build.txt

clean: ## Remove what the other targets made, except data/
	rm -rf $(VENV) $(CONSOLE)/dist build dist bench.json quality.json .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name node_modules -prune -o -type d -name __pycache__ -exec rm -rf {} +

# The build tools come first, by their hashes, so that no package is built with one that is not locked.
# An interpreter that the system took away is made anew, and everything with it: so it is no order-only prerequisite.
$(READY): pyproject.toml $(LOCKS)/dev.txt $(LOCKS)/build.txt $(BIN)/python
	@echo "Installing the locked dependencies in $(VENV) …"
	@$(PIP) install --require-hashes --requirement $(LOCKS)/build.txt
	@$(PIP) install --require-hashes --use-pep517 --no-build-isolation --requirement $(LOCKS)/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(PARTS): $(CONSOLE)/package.json $(CONSOLE)/package-lock.json $(READY)
	@echo "Installing the console's parts …"
	@$(NPM) ci --no-fund --no-audit --loglevel=error
	@touch $@

$(BUILT): $(PARTS) $(CONSOLE)/index.html $(CONSOLE)/vite.config.ts $(shell find $(CONSOLE)/src $(CONSOLE)/public -type f 2>/dev/null)
	@echo "Building the console …"
	@$(NPM) run build -- --logLevel warn

$(BIN)/python:
	@found=; bare=; \
	for each in $(PYTHON); do \
		"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		if "$$each" -c 'import ensurepip, venv' 2>/dev/null; then found="$$each"; break; fi; \
		bare="$${bare:-$$each}"; \
	done; \
	if [ -z "$$found" ] && [ -n "$$bare" ]; then \
		echo "$$bare has no venv module. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; \
	elif [ -z "$$found" ]; then \
		echo "No Python 3.11 or later among: $(PYTHON). Install one, or name it: make PYTHON=/path/to/python …" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version) …"; \
	"$$found" -m venv --clear $(VENV)
