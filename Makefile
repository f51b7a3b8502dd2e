# Two commands: `make run` sets up and opens the dashboard, `make test` sets up and passes the tests.
PYTHON ?= python3
BIN := .venv/bin
HOST_PORT ?= 8501

.PHONY: run test lint format docs accuracy learning screenshots clean
.DELETE_ON_ERROR:

run: .venv/run.stamp
	@test -e store/CURRENT || $(MAKE) --no-print-directory store-sample/CURRENT
	$(BIN)/python -m streamlit run dashboard.py --server.port $(HOST_PORT)

store-sample/CURRENT: .venv/run.stamp
	@test -e $@ || $(BIN)/python -m narratives build data/sample --store store-sample

# Coverage is of the tests that need neither the model nor a browser. Two at a time: the others wait as much as they
# work. A file stays with one worker, and so do its servers.
test: lint
	$(BIN)/python -m pytest tests/architecture tests/unit tests/property -n 2 --dist loadfile --cov=narratives --cov-report=term:skip-covered
	$(BIN)/python -m pytest tests/integration tests/dashboard tests/browser -n 2 --dist loadfile

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Rewrites docs/command-line.md from the options of the commands and narratives/cli/command_line.md.
docs: .venv/run.stamp
	$(BIN)/python -m narratives.cli.reference > docs/command-line.md

# Rewrites the section on reading of docs/accuracy.md; needs the reference folder beside the project.
accuracy: .venv/test.stamp
	$(BIN)/python -m benchmarks.accuracy

# Rewrites the section on learning of docs/accuracy.md; needs the reference folder beside the project.
learning: .venv/test.stamp
	$(BIN)/python -m benchmarks.learning_curve --out docs/accuracy.md

screenshots: .venv/test.stamp
	$(BIN)/python -m benchmarks.take_screenshots

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed; {sys.version.split()[0]} came. Name another with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test.stamp: requirements.txt requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run.stamp

clean:
	rm -rf .venv store-sample .mypy_cache .ruff_cache .pytest_cache .hypothesis
