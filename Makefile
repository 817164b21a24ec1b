# Two commands are enough: `make run` and `make test`. Both need Python 3.11 or newer, and nothing else.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The one who changes dependencies needs uv; nobody else does.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
	--custom-compile-command "make lock" pyproject.toml
# The labels of the package, by the names of their folders.
LABELS := $(notdir $(patsubst %/,%,$(dir $(wildcard precaution/labels/*/label.toml))))
EXTRAS := --extra build --extra cohort --extra postgres --extra sql --extra audit --extra service
# In continuous integration nothing is left out: what a user's run skips (Spark, browsers) is installed and run there.
DEVELOPING := $(if $(CI),.venv/.continuous,.venv/.developing)
# What `make test` leaves out, because somebody waits for it; pyproject.toml says what each marker stands for.
QUICK := not (spark or compiled or image or server or service or kills or slow)
# In continuous integration many tests wait for servers and processes that they start: one more at once than there are
# processors keeps these busy.
export PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + $(if $(CI),1,0))
PYTEST := $(BIN)/pytest -q -n auto --dist loadgroup --no-loadscope-reorder --durations=15

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install install-all run clinic test test-all lint types knowledge tests booklet compiled mutate pages lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit("precaution needs Python 3.11 or newer; try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.installed: .venv/.python requirements.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.developing: .venv/.installed requirements-dev.lock
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.venv/.continuous: .venv/.installed requirements-ci.lock
	$(PIP) install --quiet --require-hashes -r requirements-ci.lock
	@touch $@

# What the pages of a clinic need beside it is a part of what the service needs.
.venv/.clinic: .venv/.installed requirements-service.lock
	$(PIP) install --quiet --require-hashes -r requirements-service.lock
	@touch $@

.venv/clinic-demo: .venv/.clinic
	rm -rf $@ $@.half
	$(BIN)/precaution demo-cohort 200 --out $@.half --today 2025-03-01 >/dev/null
	mv $@.half $@

# Clients and FHIR servers that others wrote: they call the service in continuous integration, and it calls them.
.venv/.clients: $(DEVELOPING) tests/clients/package-lock.json tests/clients/healthchain.lock \
		$(wildcard tests/clients/hapi/pom.xml tests/clients/hapi/src/main/java/*.java)
	mvn -q -B -f tests/clients/hapi compile
	npm --prefix tests/clients ci --no-audit --no-fund --silent
	$(PYTHON) -m venv .venv/healthchain
	.venv/healthchain/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r tests/clients/healthchain.lock
	@touch $@

# The package compiled to C, in a folder of its own beside what .venv has: developers go on with the sources.
COMPILED := .venv/compiled
.venv/.compiled: $(DEVELOPING) $(shell find precaution -name '*.py') pyproject.toml
	rm -rf dist/compiled && mkdir -p dist/compiled
	$(BIN)/python -m hatchling build -t sdist -d dist/compiled >/dev/null
	HATCH_BUILD_HOOKS_ENABLE=1 $(PIP) wheel --quiet --no-deps --no-build-isolation -w dist/compiled dist/compiled/*.tar.gz
	$(PYTHON) -m venv --clear --without-pip $(COMPILED)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $$(echo $(COMPILED)/lib/python3*/site-packages)/beside.pth
	$(PIP) --python $(COMPILED)/bin/python install --quiet --no-deps --no-index dist/compiled/*.whl
	@touch $@

# The service in a container, which tests run in continuous integration.
.venv/.image: .venv/.python .ci/image .dockerignore deploy/Containerfile requirements-service.lock pyproject.toml \
		$(shell find precaution -type f -not -name '*.pyc')
	.ci/image
	@touch $@

install: .venv/.installed ## Install precaution from the lock file into .venv

install-all: .venv/.developing ## The same with all that audits, databases, SQL, the service and tests need

run: .venv/.installed ## Assess the patients of examples/ and show the results
	@while read -r file day options; do \
		case "$$file" in ''|'#'*) continue;; esac; \
		printf '\n$$ precaution assess examples/%s --today %s%s\n\n' "$$file" "$$day" "$${options:+ $$options}"; \
		$(BIN)/precaution assess "examples/$$file" --today "$$day" $$options || exit; \
	done < examples/today.txt

clinic: .venv/clinic-demo ## Show a clinic's pages with 200 made-up patients in a browser
	@$(BIN)/precaution clinic .venv/clinic-demo/fhir --today 2025-03-01

test: lint types knowledge booklet tests ## Run the checks that a change waits for: style, types, knowledge, pages, quick tests

test-all: lint types knowledge booklet $(DEVELOPING) ## Run every check: also tests that take long, where what they need is here
	THOROUGH=1 $(PYTEST)

lint: $(DEVELOPING) ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

types: $(DEVELOPING) ## Check types
	$(BIN)/mypy

knowledge: .venv/.installed ## Check the label's folder
	@for label in $(LABELS); do $(BIN)/precaution check $$label || exit; done

booklet: .venv/.installed ## Check that the pages in docs/clinicians/ are those of the label
	@for label in $(LABELS); do $(BIN)/precaution booklet --label $$label --check || exit; done

# In continuous integration all of them, and what a user's run skips for want of a program fails.
tests: $(DEVELOPING) $(if $(CI),.venv/.clients .venv/.compiled .venv/.image) ## Run the quick tests
	$(PYTEST) $(if $(CI),,-m "$(QUICK)")

compiled: .venv/.compiled ## Compile the package into a wheel, in dist/compiled/ (needs a C compiler, takes two minutes)
	@ls dist/compiled/*.whl

mutate: $(DEVELOPING) ## Show that a case fails for every change to a rule
	$(BIN)/python tools/mutate_rules.py

pages: .venv/.installed ## Write the pages in docs/clinicians/ anew
	@for label in $(LABELS); do $(BIN)/precaution booklet --label $$label || exit; done

lock: ## Write the lock files anew (needs uv)
	$(COMPILE) --extra build --extra cohort -o requirements.lock
	$(COMPILE) --extra build --extra service --extra postgres -c requirements.lock -o requirements-service.lock
	$(COMPILE) $(EXTRAS) --extra dev -c requirements.lock -o requirements-dev.lock
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
		--custom-compile-command "make lock" tests/clients/healthchain.in -o tests/clients/healthchain.lock
	$(COMPILE) $(EXTRAS) --extra dev --extra ci -c requirements-dev.lock -o requirements-ci.lock

clean: ## Remove .venv and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
