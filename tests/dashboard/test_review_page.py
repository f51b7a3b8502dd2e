"""The Review page without a browser: the question, the answers, undo, and what other pages show at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import waiting
from narratives.store import DECISIONS_FILE, DecisionLog
from tests.conftest import ROOT
from tests.dashboard.test_pages import said

pytestmark = pytest.mark.usefixtures("at_home")


def page(name: str = "review", **state: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    app.run()
    for key, value in state.items():
        app.session_state[key] = value
    app.switch_page(f"pages/{name}_page.py").run()
    assert not app.exception, app.exception
    return app


def press(app: AppTest, label: str, at: int = 0) -> AppTest:
    found = [button for button in app.button if button.label == label]
    found[at].click().run()
    assert not app.exception, app.exception
    return app


def history(store: Path) -> list[tuple[str, str, int]]:
    return [(d.narrative_id, d.verdict, d.undoes) for d in DecisionLog(store / DECISIONS_FILE).history()]


def test_answers_are_recorded_and_the_next_question_follows(store):
    app = page()
    assert "0 decisions today." in said(app)
    for label in ("Yes", "No", "Unsure"):
        press(app, label)
    assert [verdict for _, verdict, _ in history(store)] == ["accepted", "rejected", "undecided"]
    assert "3 decisions today." in said(app)


def test_a_skipped_question_is_not_recorded(store):
    app = press(page(), "Skip")
    assert not history(store)
    press(app, "Yes")
    assert len(history(store)) == 1


def test_undo_takes_back_what_was_answered_last(store):
    app = press(press(page(), "Yes"), "No")
    press(press(app, "Undo"), "Undo")
    assert [undoes for *_, undoes in history(store)] == [0, 0, 2, 1]
    assert "0 decisions today." in said(app)
    press(app, "Undo")
    assert len(history(store)) == 4  # there is nothing left to take back


def test_another_narrative_is_chosen_from_the_list(store):
    app = press(page(), "Other narrative")
    [box] = [box for box in app.selectbox if "advances instead" in box.label]
    box.select_index(0).run()
    assert sorted(verdict for _, verdict, _ in history(store)) == ["accepted", "rejected"]
    press(app, "Undo")
    assert not DecisionLog(store / DECISIONS_FILE).current()  # both are taken back


def test_it_ends_when_nothing_is_left(store):
    app = page()
    while any(button.label == "Yes" for button in app.button):
        press(app, "Yes")
    assert "Nothing left to ask" in said(app)


def test_an_assignment_is_rejected_where_it_stands_and_leaves_the_counts(store):
    app = page("evidence", narrative=["western_russophobia"], open="d001-002")
    assert "2 statement paragraphs" in said(app)
    press(app, "Reject")
    assert history(store) == [("western_russophobia", "rejected", 0)]
    assert "1 statement paragraph that advances" in said(app)
    assert "1 decision since this snapshot counts already." in said(app)
    assert "rejected" in said(app)  # in the open document


def test_the_best_paragraphs_of_a_narrative_can_be_rejected(store):
    app = page("narrative", about="western_russophobia")
    assert "score 0.91" in said(app)
    press(app, "Reject")
    assert "score 0.91" not in said(app) and "score 0.62" in said(app)  # the next best of the same document
    assert len(history(store)) == 1


def test_a_narrative_is_added_in_the_document(store):
    app = page("evidence", open="d001-004")
    [box] = [box for box in app.selectbox if box.label == "Add a narrative that it advances"]
    box.select("us_meddles_too").run()
    assert not app.exception and history(store) == [("us_meddles_too", "accepted", 0)]


@pytest.mark.parametrize(
    ("decisions", "edits", "words"),
    [
        (0, 0, ""),
        (1, 0, "1 decision since this snapshot counts already. A build also lets the matching learn from it."),
        (0, 2, "2 corrections wait for a build."),
    ],
)
def test_what_waits_is_said_in_words(decisions, edits, words):
    assert waiting.describe_waiting(decisions, edits) == words


def test_a_correction_is_written_and_waits_for_a_build(store):
    app = page("evidence", open="d001-002")
    fields = {
        "Date": "2016-11-12",
        "Outlet": "Foreign Ministry",
        "Speaker of this paragraph": "M. Zakharova",
        "Why": "typo",
    }
    for box in app.text_input:
        if box.label in fields:
            box.set_value(fields[box.label])
    press(app, "Save the correction")
    edits = DecisionLog(store / DECISIONS_FILE).edits()
    assert [(e.kind, e.subject.partition("/")[0], e.value, e.why) for e in edits] == [
        ("document", "d001", '{"date": "2016-11-12"}', "typo"),
        ("speaker", "d001", '{"speaker": "M. Zakharova"}', "typo"),
    ]
    assert "2 corrections wait for a build." in said(app) and "waits for a build: date 2016-11-12" in said(app)
