"""Fixtures of the tests of pages without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit import config

from narratives.dashboard import cached_queries
from tests.helpers.factory import build_store

NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"


@pytest.fixture(autouse=True)
def local() -> Iterator[None]:
    """The server listens on this machine alone, so its user has every role; a test may change the address."""
    config.set_option("server.address", "127.0.0.1")
    config.set_option("server.allowedHosts", ["127.0.0.1", "localhost"])
    yield
    config.set_option("server.address", "127.0.0.1")


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
