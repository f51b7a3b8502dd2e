"""Anybody can write a link: each of its values is held to what the control allows, told, and left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from narratives.dashboard import cached_queries, controls
from narratives.dashboard.views import evidence, prevalence
from narratives.model import ResourceError, ServerBusyError
from narratives.model.dates import is_partial_date
from narratives.store import MAX_SEARCH_LENGTH, MAX_SEARCH_TERMS
from narratives.workflows.search import MAX_SENTENCE_LENGTH
from tests.conftest import ROOT
from tests.helpers.larger import build_larger

EVIDENCE = "pages/evidence_page.py"
MANY_WORDS = " ".join(f"word{number}" for number in range(5000))
DIGITS = "9" * 5000


@pytest.fixture(scope="module")
def larger(tmp_path_factory) -> Path:
    return build_larger(tmp_path_factory.mktemp("larger") / "store").path


@pytest.fixture(autouse=True)
def store(larger, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(larger))
    return larger


def opened(page: str = "", /, **query: str | list[str]) -> AppTest:
    """A page as a link with this query opens it."""
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=100)
    if page:
        app.run()
        del app.session_state["source of values"]  # so that the next run is as the first of a visit
        app.switch_page(page)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def searched(app: AppTest) -> TextInput:
    [box] = [box for box in app.text_input if box.label == "Search in the text"]
    return box


def said(app: AppTest) -> str:
    kinds = (app.title, app.caption, app.text, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


@pytest.mark.parametrize(
    ("page", "key", "value", "line"),
    [
        (EVIDENCE, "text", MANY_WORDS, f"more than the limit of {MAX_SEARCH_LENGTH}"),
        (EVIDENCE, "like", "a sentence " * 100, f"more than the limit of {MAX_SENTENCE_LENGTH}"),
        (EVIDENCE, "area", "0,0;" * 5000, f"more than the limit of {evidence.LONGEST_OUTLINE}"),
        (EVIDENCE, "open", "x" * 5000, f"more than the limit of {controls.LONGEST_ID}"),
        (EVIDENCE, "as-of", "x" * 5000, f"more than the limit of {controls.LONGEST_ID}"),
        (EVIDENCE, "page", DIGITS, "not a whole number from 1 to 13"),
        (EVIDENCE, "page", "99", "not a whole number from 1 to 13"),
        (EVIDENCE, "page", "0", "not a whole number from 1 to 13"),
        (EVIDENCE, "page", "-1", "not a whole number from 1 to 13"),
        (EVIDENCE, "page", "2e1", "not a whole number from 1 to 13"),
        (EVIDENCE, "sort", "x" * 5000, "sort “x"),
        (EVIDENCE, "unassigned", "perhaps", "unassigned “perhaps” (only “yes” is allowed)"),
        ("", "from", "2016-02-31", "from “2016-02-31”"),
        ("", "to", "2017-1१", "to “2017-1१”"),  # a digit of another script
        ("", "from", DIGITS, "from “999"),
        ("", "speaker", [f"Nobody {number}" for number in range(900)], "895 more of speaker"),
        ("", "order", "random", "order “random”"),
        ("", "smooth", "x" * 5000, "only “yes” is allowed"),
    ],
)
def test_what_no_control_allows_is_told_and_left_out(page, key, value, line):
    app = opened(page, **{key: value})
    assert not app.error, said(app)
    assert "They are ignored:" in said(app) and line in said(app)
    assert max(len(element.value) for element in (*app.text, *app.warning)) < 1000  # long values are cut
    assert key not in app.query_params
    plain = opened(page)
    assert [m.value for m in app.metric] == [m.value for m in plain.metric]
    app.run()
    assert not app.exception


def test_what_the_controls_allow_is_taken_whole():
    app = opened(EVIDENCE, text="a" * MAX_SEARCH_LENGTH, page="1", **{"from": "2016-02-29"}, to="2017-02")
    assert "They are ignored:" not in said(app)
    assert app.query_params["text"] == "a" * MAX_SEARCH_LENGTH
    assert app.query_params["from"] == "2016-02-29" and app.query_params["to"] == "2017-02"
    assert opened(EVIDENCE, page="13").query_params["page"] == "13"


def test_more_narratives_than_can_be_compared_are_left_out(monkeypatch):
    narratives = list(cached_queries.get_narrative_names(cached_queries.find_snapshot()))[:3]
    monkeypatch.setattr(prevalence, "MAX_COMPARED", 2)
    app = opened(compare=narratives)
    assert f"compare “{narratives[2]}” (at most 2 can be chosen)" in said(app)
    assert app.query_params["compare"] == narratives[:2]


def test_a_search_of_too_many_words_stays_to_be_mended():
    short = " ".join(f"a{number}" for number in range(MAX_SEARCH_TERMS + 5))
    assert len(short) <= MAX_SEARCH_LENGTH
    app = opened(EVIDENCE, text=short)
    assert f"It has {MAX_SEARCH_TERMS + 5} words and phrases" in said(app)
    [box] = [box for box in app.text_input if box.label == "Search in the text"]
    assert box.value == short
    everything = app.dataframe[0].value
    box.set_value("rewrite war").run()
    assert "words and phrases, and the limit is" not in said(app) and len(app.dataframe[0].value)
    assert len(everything)


@pytest.mark.parametrize(
    ("error", "heading"),
    [(ResourceError, "needs more than the server can provide"), (ServerBusyError, "The server is busy")],
)
def test_a_limit_is_told_as_one_with_a_way_to_try_again(monkeypatch, error, heading):
    def refuse(*_):
        raise error("an answer within 20 seconds", "none", "Nothing is damaged.")

    with monkeypatch.context() as broken:
        broken.setattr(cached_queries, "load_totals", refuse)
        app = opened()
        assert heading in said(app) and "Nothing is damaged." in said(app) and "elete" not in said(app)
        assert not app.error
    [again] = [button for button in app.button if button.label == "Try again"]
    again.click().run()
    assert app.metric and heading not in said(app)


@pytest.mark.parametrize("text", ["2016", "2016-11", "2016-02-29"])
def test_dates_of_the_calendar(text):
    assert is_partial_date(text)


@pytest.mark.parametrize("text", ["", "16", "2016-13", "2017-02-29", "2016-02-31", "0000", "２０１６", DIGITS])
def test_what_is_no_date(text):
    assert not is_partial_date(text)


@pytest.mark.parametrize("wrong", ["0123456789ab", "../../etc/passwd", "\x1b[2J\u202e", "<b>x</b>"])
def test_a_link_to_no_snapshot_does_not_name_the_folders_of_the_server(store, wrong):
    app = opened(**{"as-of": wrong})
    assert "snapshot" in said(app) and app.button
    shown = said(app)
    assert str(store) not in shown and str(store.parent) not in shown and "/" + "tmp" not in shown
    assert not set(shown) & {"\x1b", "\u202e"}
