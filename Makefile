# The two main commands: `make run` sets up and serves the dashboard, `make test` sets up and runs all checks and tests.
PYTHON ?= python3
BIN := .venv/bin
HOST_PORT ?= 8501
TOOLS := .venv-tools/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
# With LOCKED=1, pip refuses every file whose hash is not in requirements.lock. Needs PyTorch's CPU build on Linux.
LOCKED ?=
PACKAGES := $(if $(LOCKED),--require-hashes -r requirements.lock,-r requirements.txt)
# Where it is set, Python keeps no compiled modules: every process would take six seconds to compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test coverage lint format docs accuracy learning bench screenshots lock licences audit clean
.DELETE_ON_ERROR:

run: .venv/run.stamp
	@test -e store/CURRENT || $(MAKE) --no-print-directory store-sample/CURRENT
	$(BIN)/python -m streamlit run dashboard.py --server.port $(HOST_PORT)

store-sample/CURRENT: .venv/run.stamp
	@test -e $@ || $(BIN)/python -m narratives build data/sample --store store-sample

# Tests run in four processes, because many of them wait. A file stays in one process, with its servers. The slow
# browser tests start first. More threads in each would only wait for each other.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --durations=10

# Not part of `test`, because measuring coverage makes the tests slower. The browser's tests are left out: their servers
# are other processes, which are not measured.
coverage: .venv/test.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/browser \
		--cov=narratives --cov-report=term:skip-covered

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2

format: .venv/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Writes docs/command-line.md from the options of the commands and narratives/cli/command_line.md.
docs: .venv/run.stamp
	$(BIN)/python -m narratives.cli.reference > docs/command-line.md

# Rewrites the section “Reading” of docs/accuracy.md. Needs the folder of reference material, ../shared.
accuracy: .venv/test.stamp
	$(BIN)/python -m benchmarks.accuracy

# Rewrites the section “Learning from decisions” of docs/accuracy.md. Needs the folder of reference material, ../shared.
learning: .venv/test.stamp
	$(BIN)/python -m benchmarks.learning_curve --out docs/accuracy.md

# Rewrites docs/performance.md. Takes some hours; the page says which other environment and store the sections need.
bench: .venv/test.stamp
	$(BIN)/python -m benchmarks.performance

screenshots: .venv/test.stamp
	$(BIN)/python -m benchmarks.take_screenshots

# Rewrites requirements.lock from requirements.txt, with versions that are already locked kept. On Linux it pins PyTorch's
# CPU build, which PyPI does not have: UV_FIND_LINKS names a folder or a page that has its wheels.
lock: .venv-tools/run.stamp
	@printf "%s\n" "torch==$(TORCH)+cpu ; sys_platform == 'linux'" "torch==$(TORCH) ; sys_platform != 'linux'" \
		> .venv-tools/torch.txt
	$(TOOLS)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--only-binary :all: --emit-build-options --override .venv-tools/torch.txt requirements.txt -o requirements.lock
TORCH = $(shell sed -n 's/^torch==//p' requirements.txt)

# Rewrites docs/licences.md from the metadata of the installed packages; fails if one of them has no other licence than
# the GPL.
licences: .venv/run.stamp
	$(BIN)/python -m benchmarks.licences

# Writes sbom.json and asks a vulnerability service about every locked package: PyPI's, or `make audit SERVICE=osv`.
# PyPI knows versions without PyTorch's suffix.
SERVICE ?= pypi
audit: .venv-tools/run.stamp
	$(TOOLS)/cyclonedx-py requirements requirements.lock --output-reproducible -o sbom.json
	@sed -nE 's/\+cpu//; s/^([a-z0-9-]+==[^\\]*).*/\1/p' requirements.lock > .venv-tools/locked.txt
	$(TOOLS)/pip-audit --strict --no-deps --disable-pip --vulnerability-service $(SERVICE) -r .venv-tools/locked.txt

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed; this is {sys.version.split()[0]}. Choose another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt requirements.lock | .venv/bin/python
	$(PIP) $(PACKAGES)
	@touch $@

# The tools of the tests are not locked: LOCKED=1 installs what ships from the lock, and then the rest. Only the modules
# that tests import are compiled, when they are imported, which saves a minute.
.venv/test.stamp: requirements.txt requirements.lock requirements-dev.txt | .venv/bin/python
	$(if $(LOCKED),$(PIP) --no-compile $(PACKAGES))
	$(PIP) --no-compile -r requirements-dev.txt
	@touch $@ .venv/run.stamp

.venv-tools/run.stamp: requirements-tools.txt
	$(PYTHON) -m venv .venv-tools
	$(TOOLS)/python -m pip install --quiet --disable-pip-version-check -r requirements-tools.txt
	@touch $@

clean:
	rm -rf .venv .venv-tools sbom.json store-sample .mypy_cache .ruff_cache .pytest_cache .hypothesis
