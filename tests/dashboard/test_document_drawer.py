"""A paragraph in its document, and the parts of the evidence page, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import cached_queries, document_drawer
from narratives.dashboard.views import evidence
from narratives.model import EvidenceQuery, Slice
from narratives.render import phrases
from narratives.store import Store, open_snapshot
from tests.conftest import ROOT
from tests.helpers.factory import build_store, content, document


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    """Every test runs in an empty folder of its own, with nothing kept from the last one."""
    monkeypatch.chdir(tmp_path)
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    path = build_store(tmp_path / "texts").path
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(path))
    return path


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    app.run()
    for key, value in query.items():
        app.session_state[key] = value
    app.switch_page("pages/evidence_page.py").run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.caption, app.text, app.info, app.error, app.warning, app.markdown)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def shown_ids(app: AppTest) -> list[str]:
    return app.dataframe[0].value["paragraph_id"].tolist()


def test_a_link_opens_a_paragraph_with_what_decided(store):
    app = opened(open="d001-003")
    text = said(app)
    assert "Weekly briefing" in text and "2016-11-10 · Foreign Ministry" in text
    assert "Maria Zakharova · own words" in text and "Speaker identified by: label." in text
    assert "Score 0.83; matched by machine." in text
    assert "Score 0.62, 0.50 needed; matched by machine." in text
    assert text.count("The matching passage") == 2
    assert "Question: how do you see the elections over there?" in text  # the paragraphs around it
    assert "The minister will visit Lima on Friday next." in text
    assert len(shown_ids(app)) == open_snapshot(store).count_paragraphs(EvidenceQuery())  # the list stays behind


def test_nothing_is_open_unless_asked(store):
    assert "The document" not in said(opened())


def test_a_paragraph_that_is_not_there_is_said(store):
    app = opened(open="d999-001")
    assert "The paragraph in this link is not in this snapshot" in said(app) and "d999-001" in said(app)
    assert "The document" not in said(app) and shown_ids(app)


def test_a_copy_leads_to_its_original_and_back(store):
    app = opened(open="d005-001")
    assert "It repeats an earlier paragraph" in said(app) and "A reprint" in said(app)
    app.button(key="open-d002-001").click().run()
    assert app.session_state["open"] == "d002-001"
    assert "Kremlin on the elections" in said(app)
    assert "Repeated, exactly or nearly, by 1 later paragraph." in said(app)
    assert "Open the copy: 2019-02-03 · TASS" in [b.label.replace("\\", "") for b in app.button]


def test_a_paragraph_opens_where_filters_leave_nothing(store):
    app = opened(open="d001-003", outlet=["RT"], speaker=["Maria Zakharova"])
    assert "No statement paragraph matches" in said(app) and "Weekly briefing" in said(app)


def test_a_paragraph_that_is_not_counted_says_why(store):
    assert "Not counted: a question." in said(opened(open="d001-001"))
    assert "Not counted: a title." in said(opened(open="d001-000"))
    assert "Advances no narrative." in said(opened(open="d001-004"))


def test_what_people_decided_is_said(tmp_path, monkeypatch):
    status = {0.83: "confirmed", 0.62: "rejected"}
    given = content()
    marked = [replace(a, status=status.get(a.score, "auto")) for a in given.assignments]
    Store(tmp_path / "s").write_snapshot(replace(given, assignments=marked))
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(tmp_path / "s"))
    app = opened(open="d001-003")
    assert "Score 0.83; confirmed by people." in said(app)
    assert "Score 0.62, 0.50 needed; rejected by people, so not counted." in said(app)
    found = app.dataframe[0].value.set_index("paragraph_id")
    assert found.loc["d001-003", "status"] == "confirmed"


def test_a_long_document_is_shown_around_the_paragraph_and_whole_on_demand(tmp_path, monkeypatch):
    bodies = [("Somebody", "own", f"Sentence number {n} of a long speech.", {}) for n in range(40)]
    long, _ = document(9, "2020-01-01", "TASS", "A long speech", bodies)
    given = content()
    statements = {*given.statements, *(p.paragraph_id for p in long.paragraphs[1:])}
    Store(tmp_path / "s").write_snapshot(replace(given, documents=[*given.documents, long], statements=statements))
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(tmp_path / "s"))
    app = opened(open="d009-020")
    assert "… 16 paragraphs before" in said(app) and "… 16 paragraphs after" in said(app)
    assert "Sentence number 15 " in said(app) and "Sentence number 14 " not in said(app)
    app.toggle(key=document_drawer.WHOLE_DOCUMENT_KEY).set_value(True).run()
    assert all(f"Sentence number {n} " in said(app) for n in range(40))
    assert "paragraphs before" not in said(app)


HOSTILE = "<img src=x onerror=alert(1)> ![x](https://example.org/x.png) **bold**"


def test_hostile_names_are_letters():
    found = pd.DataFrame([{"narrative": HOSTILE, "colour": "#123456;}", "rank": 2}])
    html = document_drawer.build_chips_html(found)
    assert "<img" not in html and "&lt;img" in html and "#123456;}" not in html


def test_hostile_texts_are_letters(tmp_path, monkeypatch):
    made, _ = document(9, "2020-01-01", HOSTILE, HOSTILE, [(HOSTILE, "own", HOSTILE + " is the text.", {})])
    given = content()
    statements = {*given.statements, "d009-001"}
    Store(tmp_path / "s").write_snapshot(replace(given, documents=[*given.documents, made], statements=statements))
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(tmp_path / "s"))
    app = opened(open="d009-001")
    for element in [*app.markdown, *app.caption]:
        assert "![x](" not in element.value and "<img" not in element.value.replace("\\<", "")
    assert any(HOSTILE in element.value for element in app.text)


@pytest.mark.parametrize("sort", phrases.SORT_LABELS)
def test_the_list_is_in_the_order_of_the_download(store, sort):
    app = opened(sort=sort)
    assert shown_ids(app) == open_snapshot(store).paragraphs(EvidenceQuery(Slice(), sort=sort))["paragraph_id"].tolist()
    assert [box.value for box in app.selectbox if box.label == "Sort all rows by"] == [sort]


def test_a_minus_is_said_in_words(store):
    app = opened(text='war -history -"the end"')
    assert shown_ids(app) == ["d003-001"]
    assert "with “war” and without “history” or “the end” in the text" in said(app)


NEAR = {"d003-001": 0.91, "d004-001": 0.55, "d002-001": 0.43}


def test_likeness_orders_filters_and_is_shown(store, monkeypatch):
    monkeypatch.setattr(evidence, "_search_snapshot", lambda handle, text: dict(NEAR))
    app = opened(like="they falsify the war")
    assert shown_ids(app) == list(NEAR)
    assert app.dataframe[0].value["like"].tolist() == ["0.91", "0.55", "0.43"]
    assert "3 statement paragraphs similar in meaning to “they falsify the war”; originals only." in said(app)
    assert phrases.describe_unread_languages(1) in said(app)  # the Russian paragraph
    assert shown_ids(opened(like="they falsify the war", outlet=["RT"])) == ["d003-001", "d002-001"]
    assert shown_ids(opened(like="they falsify the war", text="history")) == ["d004-001"]
    assert shown_ids(opened(like="they falsify the war", sort="oldest")) == ["d002-001", "d003-001", "d004-001"]


def test_nothing_near_is_said(store, monkeypatch):
    monkeypatch.setattr(evidence, "_search_snapshot", lambda handle, text: {})
    app = opened(like="sourdough")
    assert "No paragraph in the snapshot is similar in meaning to “sourdough” (likeness 0.40 or more)." in said(app)
    assert "Without the search for “sourdough” by meaning: 9 statement paragraphs." in said(app)


def test_a_server_without_a_model_says_so(store, monkeypatch):
    monkeypatch.setenv(evidence.NO_MODEL_VARIABLE, "1")
    app = opened(like="anything")
    assert "The search by meaning failed." in said(app) and evidence.NO_MODEL_VARIABLE in said(app)
    assert phrases.CAVEAT in said(app) and not app.dataframe
    assert shown_ids(opened())


def test_a_store_without_vectors_says_so(store):
    assert "Copy the folder `vectors` from the original store" in said(opened(like="anything"))


def test_searching_for_words_loads_no_search(store, monkeypatch):
    monkeypatch.setattr(evidence, "_search_snapshot", None)
    assert shown_ids(opened(text="war"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"statement": True}, ""),
        ({"statement": False, "voice": "own", "kind": "body", "words": 3}, "Not counted: shorter than 5 words."),
        ({"statement": False, "voice": "own", "kind": "heading", "words": 9}, "Not counted: a heading."),
    ],
)
def test_why_a_paragraph_is_in_no_figure(row, reason):
    assert document_drawer.explain_exclusion(row) == reason
