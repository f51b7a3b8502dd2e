"""The Topics page without a browser: what it shows, what its controls do, and what it says where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard.views import topics
from narratives.measure import add_shares, find_trends
from narratives.model import EvidenceQuery, Slice
from narratives.store import Store, export_slice, open_snapshot
from narratives.store.queries.topics import query_topics
from tests.conftest import ROOT
from tests.dashboard.test_map import rewrite_snapshot

ELECTIONS, WAR = "t-00000001", "t-00000002"


def page(**session: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages/topics_page.py"), default_timeout=60)
    for key, value in session.items():
        app.session_state[key] = value
    return app.run()


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.text, *app.header, *app.subheader]
    return "\n".join(str(part.value) for part in parts)


def table(app: AppTest) -> pd.DataFrame:
    return app.dataframe[-1].value
