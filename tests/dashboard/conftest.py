"""Fixtures of the tests of pages without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from narratives.dashboard import cached_queries
from tests.helpers.factory import build_store

NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"


@pytest.fixture
def at_home(tmp_path, monkeypatch) -> None:
    """Run the test in an empty folder of its own, with nothing cached from the last one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(cached_queries.STORE_VARIABLE, raising=False)
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()


@pytest.fixture
def store(at_home, tmp_path, monkeypatch) -> Path:
    path = build_store(tmp_path / "texts", NOTICE).path
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(path))
    return path
