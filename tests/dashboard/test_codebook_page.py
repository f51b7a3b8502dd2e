"""The Codebook page without a browser: the tree, the form, every task, and what is saved."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from narratives import read
from narratives.dashboard import cached_queries
from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.workflows import codebook
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.review import get_login
from tests.conftest import ROOT
from tests.helpers.fakes import FakeEncoder, use_encoder
from tests.integration.builds.test_build import rows, small_codebook, write


@pytest.fixture
def built(at_home, tmp_path, monkeypatch) -> Path:
    """A store with vectors, built with a codebook of its own by an encoder that needs no model."""
    store = tmp_path / "texts"
    use_encoder(monkeypatch, FakeEncoder())
    source = write(tmp_path / "a.jsonl", rows(0, 12))
    build(BuildRequest((source,), store, small_codebook(tmp_path)), encoder=FakeEncoder())
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(store))
    return store


def opened(**chosen: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60).run()
    for key, value in chosen.items():
        app.session_state[key] = value
    app.switch_page("pages/codebook_page.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.caption, app.info, app.warning, app.error, app.text, app.markdown, app.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def field(app: AppTest, label: str):
    return next(w for w in (*app.text_area, *app.text_input, *app.selectbox, *app.number_input) if w.label == label)


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def sign(app: AppTest, why: str = "clearer") -> None:
    field(app, "Why").set_value(why).run()


def edits(store: Path) -> list[tuple[str, str, str]]:
    return [(e.subject, e.who, e.why) for e in DecisionLog(store / DECISIONS_FILE).edits("narrative")]


def test_the_tree_shows_the_file_and_what_is_edited(built) -> None:
    app = opened()
    frame = app.dataframe[0].value
    assert list(frame["narrative"]) == ["Bases at the border", "Sanctions backfire"]
    assert set(frame["state"]) == {"from file"} and frame["paragraphs"].sum() > 0
    assert "built with this codebook" in said(app)


def test_an_edit_is_previewed_saved_and_undone(built) -> None:
    app = opened()
    field(app, "Exemplars").set_value("Grain exports will grow by a tenth.\nThe harvest was good.").run()
    assert "original statement paragraphs" in said(app)
    assert {"Gained", "Lost", "Kept"} <= {metric.label for metric in app.metric}
    press(app, "Save")
    assert "Not saved: expected a text that says why" in said(app).replace("\\", "")
    sign(app)
    press(app, "Save")
    assert edits(built) == [("bases", get_login(), "clearer")]
    shown = said(app)
    assert "Saved" in shown and "Edits of 1 narrative wait" in shown
    assert "exemplars + The harvest was good." in shown
    assert list(app.dataframe[0].value["state"]) == ["edited", "from file"]
    press(app, "Undo the last edit")
    assert edits(built)[-1] == ("bases", get_login(), "undo of edit 1")
    assert codebook.load_codebook(built) == codebook.load_file(built)


def test_a_narrative_is_made_from_an_empty_form(built) -> None:
    app = opened(do="new")
    assert "Fill in the name, the definition and at least one exemplar" in said(app)
    field(app, "Name").set_value("Good harvests").run()
    field(app, "Definition").set_value("Harvests are good.").run()
    field(app, "Exemplars").set_value("The harvest was good this year.").run()
    sign(app, "it recurs")
    press(app, "Add the narrative")
    [edit] = DecisionLog(built / DECISIONS_FILE).edits()
    assert (edit.subject, json.loads(edit.value)["exemplars"]) == ("good_harvests", ["The harvest was good this year."])
    assert list(app.dataframe[0].value["state"]) == ["from file", "from file", "new"]


def test_an_id_that_exists_is_refused(built) -> None:
    app = opened(do="new")
    for label, value in (("Id", "bases"), ("Name", "Other"), ("Definition", "Other."), ("Exemplars", "Other bases.")):
        field(app, label).set_value(value).run()
    assert "an id that no narrative has" in said(app)
    assert not [button for button in app.button if button.label == "Add the narrative"]


def test_two_narratives_are_merged(built) -> None:
    app = opened(do="merge")
    sign(app, "the same claim")
    press(app, "Merge into Sanctions backfire")
    assert [subject for subject, _, _ in edits(built)] == ["sanctions", "bases"]
    assert [n.id for n in codebook.load_codebook(built).narratives] == ["sanctions"]
    assert "retired" in list(app.dataframe[0].value["state"])


def test_one_is_retired_and_the_last_cannot_be(built) -> None:
    app = opened(do="retire")
    sign(app, "not ours")
    press(app, "Retire 1 narrative")
    assert [n.id for n in codebook.load_codebook(built).narratives] == ["sanctions"]
    app = opened(do="retire", entry="sanctions")
    assert "none would remain" in said(app)


def test_the_codebook_is_downloaded_and_imported(built) -> None:
    app = opened(do="file")
    assert "Download the codebook (TOML)" in [button.label for button in app.get("download_button")]
    changed = read.dump_codebook(codebook.load_codebook(built)).replace("Bases at the border", "Military bases")
    app.file_uploader[0].upload("new.toml", changed.encode(), "application/toml").run()
    sign(app, "renamed")
    press(app, "Import")
    assert codebook.load_codebook(built).narratives[0].name == "Military bases"


def test_an_edit_by_somebody_else_is_not_overwritten(built) -> None:
    app = opened()
    field(app, "Definition").set_value("Other words.").run()
    sign(app)
    base = codebook.load_file(built)
    other = codebook.set_narrative(base, replace(base.narratives[0], name="Theirs"))
    # The callback of the button still has what the page has drawn.
    codebook.save_changes(DecisionLog(built / DECISIONS_FILE), base, [other], "bob", "mine")
    press(app, "Save")
    assert "a later edit by bob" in said(app).replace("\\", "")
    assert edits(built) == [("bases", "bob", "mine")]


def test_without_vectors_the_page_still_saves(store) -> None:
    """The store of the factory has no vectors and was built with another codebook."""
    app = opened()
    field(app, "Name").set_value("Hostility to Russia").run()
    assert "There is no preview." in said(app)
    sign(app)
    press(app, "Save")
    assert edits(store) == [("western_russophobia", get_login(), "clearer")]
