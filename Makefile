# make demo, test, test-system, proof, redteam, compiled, lint, clean. Everything is made in .venv and build; nothing outside this folder is changed,
# but for Debian packages that test-system installs where it runs as root.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SYSTEM := build/system
UV := $(SYSTEM)/uv/bin/uv

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# npm must not need a home folder.
export npm_config_cache := $(CURDIR)/build/npm
export npm_config_update_notifier := false

.PHONY: demo test test-system proof redteam compiled lint clean
.DELETE_ON_ERROR:

demo: $(READY)
	@mkdir -p build
	$(BIN)/headwater review examples/vulnerable --fail-on never --format text --output - --format html --output build/report.html
	$(BIN)/headwater review examples/fixed

test: lint
	$(BIN)/pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What a browser is timed at runs alone.
test-system: $(READY) $(SYSTEM)/.ready
	$(BIN)/pytest tests/system/test_html_report.py
	$(BIN)/pytest -n 2 --dist loadfile tests/system --ignore tests/system/test_html_report.py

# Garak and PyRIT against the example, with a small model behind it: some 7 GB and half an hour, so no part of CI (docs/redteam.md).
redteam: $(READY)
	$(BIN)/python benchmarks/redteam.py build/redteam

# Released packages with known weaknesses, under headwater prove: some gigabytes are downloaded, and it takes half an hour (docs/proof.md).
proof: $(READY)
	$(BIN)/python benchmarks/proof.py

# How hard the C compiler tries: 3 for a wheel that is used; 0 takes a fraction of the time, and says the same of code.
OPT ?= 3

# A wheel with compiled modules, in dist. On a copy: the build puts files beside the sources, which would be imported instead of them.
compiled: $(READY)
	@command -v cc >/dev/null || { echo "make: a C compiler is missing (Debian: apt-get install gcc python3-dev)" >&2; exit 1; }
	rm -rf build/compiled
	mkdir -p build/compiled
	cp -R src hatch_build.py README.md LICENSE build/compiled
	sed 's/^opt_level = .*/opt_level = "$(OPT)"/' pyproject.toml > build/compiled/pyproject.toml
	HATCH_BUILD_HOOK_ENABLE_MYPYC=1 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist build/compiled

# The stamp is older than pyproject.toml when a dependency changes.
$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing: install Python 3.11 or later, or set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "make: $$($(PYTHON) --version) is too old: Python 3.11 or later is needed, set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "make: $(PYTHON) cannot make environments: install python3-venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(SYSTEM)/.ready: tests/system/package.json tests/system/requirements.txt $(wildcard tests/system/clients/*.txt) examples/vulnerable/requirements.txt
	@if ! command -v npm >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm; \
		else \
			echo "make: node and npm are missing (Debian: apt-get install nodejs npm)" >&2; exit 1; \
		fi; \
	fi
	@if ! command -v chromium >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core libpangoft2-1.0-0; \
		else \
			echo "make: chromium is missing (Debian: apt-get install chromium)" >&2; exit 1; \
		fi; \
	fi
	@if ! command -v strace >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends strace; \
		else \
			echo "make: strace is missing (Debian: apt-get install strace)" >&2; exit 1; \
		fi; \
	fi
	@mkdir -p $(SYSTEM)
	cp tests/system/package.json $(SYSTEM)/
	cd $(SYSTEM) && npm install --no-package-lock --no-audit --no-fund --loglevel=error
	@test -x $(UV) || { $(PYTHON) -m venv $(SYSTEM)/uv && $(SYSTEM)/uv/bin/python -m pip install --quiet uv==0.13.9; }
	@for one in venv:tests/system/requirements.txt clients:tests/system/clients/requirements.txt \
		clients-old:tests/system/clients/requirements-old.txt example:examples/vulnerable/requirements.txt; do \
		test -x $(SYSTEM)/$${one%%:*}/bin/python || $(UV) venv --quiet --python $(PYTHON) $(SYSTEM)/$${one%%:*} || exit 1; \
		$(UV) pip install --quiet --python $(SYSTEM)/$${one%%:*}/bin/python --requirement $${one#*:} || exit 1; \
	done
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
