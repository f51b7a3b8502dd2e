"""What controls say across pages and runs: kept, never without a value, told to the browser in time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import cached_queries, controls
from tests.conftest import ROOT
from tests.helpers.attribution import LAVROV, PUTIN, speaking_store

PAGES = (
    "prevalence",
    "narrative",
    "topics",
    "speakers",
    "spread",
    "evidence",
    "map",
    "review",
    "codebook",
    "sources",
    "method",
)


class Session(dict[str, Any]):
    """The session of one browser; notes what is put into it, which is what the browser is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Any] = {}
        self.page = ""

    def __setitem__(self, key: str, value: object) -> None:
        self.told[key] = value
        super().__setitem__(key, value)


class Query(dict[str, list[str]]):
    """The parameters of an address, as Streamlit gives them."""

    def get_all(self, key: str) -> list[str]:
        return self.get(key, [])

    def from_dict(self, values: dict[str, list[str]]) -> None:
        self.clear()
        self.update(values)


@pytest.fixture
def session(monkeypatch) -> Session:
    made = Session()
    monkeypatch.setattr(controls, "st", SimpleNamespace(session_state=made, query_params=Query()))
    context = lambda: SimpleNamespace(page_script_hash=made.page, is_history_navigation=False)  # noqa: E731
    monkeypatch.setattr(controls, "get_script_run_ctx", context)
    return made


def run(session: Session, page: str, finished: bool = True) -> str | None:
    """One run of a page that has one control; returns what the browser is told of it, None for nothing."""
    session.told.clear()
    session.page = page
    controls.begin_run()
    said = controls.bind_value("by", {"auto": "Auto", "year": "Year"}, "auto")
    own = controls.prepare_widget("by", said)
    assert said is not None and own == f"by-on-{page}"
    told = session.told.get(own)
    if finished:
        controls.update_url()
    return told


def test_a_widget_is_told_its_value_once(session):
    assert run(session, "a") == "auto"
    assert run(session, "a") is None


def test_a_widget_that_no_finished_run_has_drawn_is_told_again(session):
    """A reader who goes on clicking stops the run, and what it had drawn may never have been sent."""
    assert run(session, "a", finished=False) == "auto"
    assert run(session, "a", finished=False) == "auto"
    assert run(session, "a") == "auto"
    assert run(session, "a") is None


def test_a_page_that_was_turned_to_in_passing_leaves_nothing_undrawn(session):
    run(session, "a")
    run(session, "b", finished=False)
    assert run(session, "a") == "auto"


def test_what_is_said_goes_with_the_reader_to_the_page_that_offers_it_too(session):
    run(session, "a")
    session["by-on-a"] = "year"  # as Streamlit does before it calls back
    controls.save_value("by", "by-on-a")
    assert run(session, "a") is None
    assert run(session, "b") == "year"
    assert controls.st.query_params == {"by": ["year"]}


def test_a_widget_that_gives_nothing_says_nothing(session):
    run(session, "a")
    session["by-on-a"] = None
    controls.save_value("by", "by-on-a")
    assert run(session, "a") == "auto"


def test_a_default_that_nobody_chose_is_followed(session):
    run(session, "a")
    assert controls.bind_value("profile", {PUTIN: PUTIN, LAVROV: LAVROV}, PUTIN) == PUTIN
    assert controls.bind_value("profile", {PUTIN: PUTIN, LAVROV: LAVROV}, LAVROV) == LAVROV
    session["profile"] = PUTIN
    assert controls.bind_value("profile", {PUTIN: PUTIN, LAVROV: LAVROV}, LAVROV) == PUTIN
    assert controls.bind_value("profile", {LAVROV: LAVROV}, LAVROV) == LAVROV


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return speaking_store(tmp_path_factory.mktemp("controls") / "store", "sample: made up").path


@pytest.fixture
def app(written, tmp_path, monkeypatch) -> Iterator[AppTest]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(written))
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()
    yield AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60).run()


def turned_to(app: AppTest, page: str) -> AppTest:
    app.switch_page(f"pages/{page}_page.py").run()
    assert not app.exception, app.exception
    return app


def widgets(app: AppTest) -> dict[str, Any]:
    """The widgets that have a key, by key."""
    kinds = ("button_group", "selectbox", "multiselect", "toggle", "text_input")
    found = [widget for kind in kinds for widget in app.get(kind)]
    return {widget.key: widget for widget in found if widget.key}


def test_each_page_has_widgets_of_its_own(app):
    pages: dict[str, str] = {}
    for page in PAGES:
        found = widgets(turned_to(app, page))
        assert not set(found) & set(pages), {key: (page, pages[key]) for key in set(found) & set(pages)}
        assert not set(found) & set(app.session_state["url defaults"])
        pages |= dict.fromkeys(found, page)
    assert len(pages) > 20


def test_period_and_measure_go_from_page_to_page(app):
    for label, value in (("Period", "year"), ("Show", "count")):
        labelled(app, label).set_value(value).run()
    for page in ("speakers", "narrative", "prevalence", "narrative", "speakers", "prevalence"):
        turned_to(app, page)
        assert (labelled(app, "Period").value, labelled(app, "Show").value) == ("year", "count")
        said = " ".join(caption.value for caption in app.caption).replace("\\", "")
        assert "Count out of the" in said and "Share of the" not in said and "y year." in said


def labelled(app: AppTest, label: str) -> Any:
    [found] = [group for group in app.get("button_group") if group.label == label]
    return found
