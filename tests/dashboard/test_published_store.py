"""The dashboard on a published store: it shows the copy, changes nothing, and notices what is published meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import cached_queries, roles
from narratives.model import AccessError
from narratives.store import Store
from narratives.store.published import cache, follow, objects, parse_address, publish
from tests.conftest import ROOT
from tests.dashboard.test_pages import opened, said
from tests.helpers.factory import build_store, content
from tests.helpers.object_storage import ADDRESS, CREDENTIALS, SETTINGS, Bucket, ask_server, serve_objects

# Those that read more of a store than its snapshot.
PAGES = ("narrative", "evidence", "sources", "method")


@pytest.fixture
def endpoint(at_home, tmp_path, monkeypatch) -> Iterator[str]:
    """A server with an empty bucket, and a dashboard that is to show a published store on it."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    follow.cache_clear()
    with serve_objects() as address:
        ask_server(address, "reset")
        Bucket(address).make()
        named = {cached_queries.STORE_VARIABLE: ADDRESS, cache.CACHE_VARIABLE: str(tmp_path / "cache")}
        named |= {**CREDENTIALS, "AWS_ENDPOINT_URL": address, "AWS_CONFIG_FILE": str(tmp_path / "none")}
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(objects, "ATTEMPTS", 1)
        yield address


def look_again() -> AppTest:
    """The page after the poll that is due at the next visit."""
    follower = follow(ADDRESS)
    follower._next = 0.0
    opened()
    follower._thread.join()
    return opened()


def test_the_dashboard_follows_a_published_store(endpoint, tmp_path, monkeypatch):
    store = build_store(tmp_path / "texts")
    first = store.current()
    publish(store, parse_address(ADDRESS))
    app = opened()
    assert app.title[0].value == "Prevalence" and first in said(app)
    assert "Read-only. This is a published store." in said(app)
    for page in PAGES:
        shown = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
        shown.switch_page(f"pages/{page}_page.py").run()
        assert not shown.exception and not shown.error, page
        assert not shown.get("file_uploader"), page
    with pytest.raises(AccessError, match="published store"):
        roles.require("reviewer")

    store.write_snapshot(replace(content(), assignments=content().assignments[:3]))
    second = store.current()
    publish(store, parse_address(ADDRESS))
    assert second not in said(opened())
    app = look_again()
    assert f"Snapshot {second}" in said(app) and not app.warning
    pinned = opened(**{"as-of": first})
    assert f"an earlier snapshot: {first}" in said(pinned)

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    app = look_again()
    assert f"Snapshot {second}" in said(app)
    assert "fetched last" in app.warning[0].value
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert not look_again().warning
    assert Store(cached_queries.find_store_path()).current() == second


@pytest.mark.parametrize(
    ("place", "words"),
    [(ADDRESS, "got no CURRENT there"), ("s3://", "an address such as"), ("s3://b/../x", "an address")],
)
def test_nothing_is_published(endpoint, monkeypatch, place, words):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, place)
    app = opened()
    assert "This page cannot be shown." in said(app) and words in said(app)
