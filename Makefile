# The two main commands: `make run` sets up and serves the dashboard, `make test` sets up and runs all checks and tests.
PYTHON ?= python3
BIN := .venv/bin
HOST_PORT ?= 8501

.PHONY: run test coverage lint format docs accuracy learning screenshots clean
.DELETE_ON_ERROR:

run: .venv/run.stamp
	@test -e store/CURRENT || $(MAKE) --no-print-directory store-sample/CURRENT
	$(BIN)/python -m streamlit run dashboard.py --server.port $(HOST_PORT)

store-sample/CURRENT: .venv/run.stamp
	@test -e $@ || $(BIN)/python -m narratives build data/sample --store store-sample

# Tests run in two processes, because many of them wait. A file stays in one process, with its servers. The slow browser
# tests start first.
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10

# Not part of `test`, because measuring coverage makes the tests slower.
coverage: .venv/test.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov=narratives --cov-report=term:skip-covered

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

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

screenshots: .venv/test.stamp
	$(BIN)/python -m benchmarks.take_screenshots

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed; this is {sys.version.split()[0]}. Choose another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test.stamp: requirements.txt requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run.stamp

clean:
	rm -rf .venv store-sample .mypy_cache .ruff_cache .pytest_cache .hypothesis
