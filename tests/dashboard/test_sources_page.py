"""The Sources page without a browser: what it counts, what it offers, and what it refuses."""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import builds, cached_queries, roles
from narratives.dashboard.views import uploads
from narratives.model import Slice
from narratives.render import phrases
from narratives.store import open_snapshot
from narratives.store.inputs import UPLOADS_FOLDER
from narratives.store.queries import sources as sources_queries
from narratives.workflows.uploads import save_upload
from tests.conftest import ROOT
from tests.dashboard.conftest import NOTICE
from tests.dashboard.test_pages import headline, opened, said
from tests.helpers.factory import build_store

pytestmark = pytest.mark.usefixtures("at_home")
PAGE = "pages/sources_page.py"
CSV = ("table.csv", b"Body text,When,Person\nThe harvest was good in the south.,2017-02,A\n,2018,B\n", "text/csv")


def sources(**state: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    app.run()
    for key, value in state.items():
        app.session_state[key] = value
    app.switch_page(PAGE).run()
    assert not app.exception, app.exception
    return app


def uploaded(app: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    app.file_uploader[0].set_value(list(files)).run()
    assert not app.exception, app.exception
    return app


def test_the_headline_counts_what_the_snapshot_holds(store):
    app = sources()
    assert headline(app) == {
        "Documents": "7",
        "Paragraphs": "19",
        "Undated documents": "1",
        "Copied paragraphs": "1",
        "In unread languages": "8",
        "Rejected": "2",
    }
    assert NOTICE in said(app) and phrases.CAVEAT in said(app)


def test_what_stands_in_no_column_is_said(store):
    app = sources()  # half of the dates are coarse: by year
    assert "6 documents; copies included. 1 further document has no date and is in no column." in said(app)
    assert "No document of (none named) has one." in said(app)
    app = sources(columns="month")
    assert "2 further documents have no date to the month and are in no column." in said(app)
    assert "No document of TASS from Jun 2018 to Jan 2019 (8 months)." in said(app)


def test_filters_narrow_the_page(store):
    s = Slice(outlets=("TASS",))
    app = sources(outlet=["TASS"], counted="statements")
    counted = sources_queries.query_outlet_coverage(open_snapshot(store), s)["statements"].sum()
    assert f"{counted} statement paragraphs in TASS; originals only." in said(app)
    assert headline(app)["Documents"] == "3"


def test_filters_that_leave_nothing_say_which(store):
    app = sources(speaker=["Maria Zakharova"], outlet=["RT"])
    assert "No dated document matches" in said(app)
    assert "Without the speaker filter: 2 dated documents." in said(app)
    assert not app.get("plotly_chart")


def test_rejections_come_with_their_reasons(store):
    [rejected] = [d.value for d in sources().dataframe if "reason" in d.value]
    assert rejected["reason"].tolist() == ["invalid JSON", "unknown extension"]


def test_the_chart_has_a_summary_in_words(store):
    [chart] = sources().get("plotly_chart")
    assert "6 documents of 3 outlets" in str(chart.proto)


def test_a_page_stands_alone(store):
    assert NOTICE in said(opened(PAGE))


def test_a_table_is_previewed_as_it_will_be_read(store):
    app = uploaded(sources(), CSV)
    assert {box.label: box.value for box in app.selectbox if box.label in ("Text (required)", "Date", "Speaker")} == {
        "Text (required)": "Body text",
        "Date": "When",
        "Speaker": "Person",
    }
    assert "Of the rows, 1 can be read and 1 cannot." in said(app)
    [rows] = [d.value for d in app.dataframe if "Text" in d.value]
    assert rows["Date"].tolist() == ["2017-02"] and rows["Speaker"].tolist() == ["A"]
    [refused] = [d.value for d in app.dataframe if "Reason" in d.value]
    assert "a text or paragraphs" in refused["Reason"][0]
    kept = list((store / UPLOADS_FOLDER).rglob("*.csv"))
    assert [path.read_bytes() for path in kept] == [CSV[1]]


def test_another_column_can_be_chosen(store):
    app = uploaded(sources(), CSV)
    [box] = [box for box in app.selectbox if box.label == "Speaker"]
    box.set_value("When").run()
    [rows] = [d.value for d in app.dataframe if "Text" in d.value]
    assert rows["Speaker"].tolist() == ["2017-02"]


def test_without_a_text_column_the_reason_is_said(store):
    app = uploaded(sources(), ("a.csv", b"x,y\n1,2\n", "text/csv"))
    [refused] = [d.value for d in app.dataframe if "Reason" in d.value]
    assert "a column `text` or `paragraphs`" in refused["Reason"][0]


def test_a_build_is_started_followed_and_reported(store, monkeypatch):
    """A stand-in for the build: the page's part is to start it with the right words and tell how it went."""
    asked = []
    report = {
        "inputs_readable": 1, "snapshot": (store / "CURRENT").read_text().strip(), "unchanged": False,
        "counts": {"documents": 8, "statements": 12}, "encoded": 3, "reused": 4,
        "rejected": [{"source_path": "uploads/x/table.csv", "row": 2, "reason": "no text"}],
    }  # fmt: skip
    code = f"import json, sys; print(json.dumps({{'report': {report!r}}}), file=sys.stderr)"

    def stand_in(*terms: object) -> list[str]:
        asked.append(terms)
        return [sys.executable, "-c", code]

    monkeypatch.setattr(uploads, "make_build_command", stand_in)
    app = uploaded(sources(), CSV)
    [build] = [button for button in app.button if button.label == "Build with 1 file"]
    build.click().run()
    [(where, inputs, terms, names)] = asked
    assert not names and where == store and terms == (("text", "Body text"), ("date", "When"), ("speaker", "Person"))
    assert Path(inputs[0]).read_bytes() == CSV[1]
    job = builds.get_job_registry().get(store)
    while job.status() is None:
        time.sleep(0.05)
    app.run()
    assert "New snapshot" in said(app)
    assert "8 documents and 12 statement paragraphs are in the store now. 3 texts encoded, 4 reused" in said(app)
    [rejected] = [d.value for d in app.dataframe if d.value.get("reason", [""])[0] == "no text"]
    assert rejected["row"].tolist() == [2]
    [leave] = [button for button in app.button if button.label == "Add more texts"]
    leave.click().run()
    assert len(app.file_uploader) == 1


def test_dates_in_names_of_files_are_offered_where_a_name_has_one(store, monkeypatch):
    text = b"Harbour news\n\nThe council agreed to mend the breakwater before the first storms of the winter."
    assert not [box for box in uploaded(sources(), ("talks.txt", text, "text/plain")).checkbox if "names" in box.label]
    asked = []
    monkeypatch.setattr(uploads, "make_build_command", lambda *terms: asked.append(terms) or [sys.executable, "-V"])
    app = uploaded(sources(), ("2018-05-15 talks.txt", text, "text/plain"))
    [offer] = [box for box in app.checkbox if box.label == "Use the dates in file names"]
    offer.check().run()
    [build] = [button for button in app.button if button.label == "Build with 1 file"]
    build.click().run()
    assert asked[0][3] is True


@pytest.mark.parametrize(("value", "offered"), [("1", 0), ("yes", 0), ("0", 1), ("", 1)])
def test_read_only_hides_the_upload(store, monkeypatch, value, offered):
    monkeypatch.setenv(roles.READ_ONLY_VARIABLE, value)
    assert len(sources().file_uploader) == offered


def test_beside_the_sample_texts_go_into_the_own_store(tmp_path):
    build_store(tmp_path / "store-sample", NOTICE)
    app = sources()
    assert "go into a separate store" in said(app)
    uploaded(app, CSV)
    assert (tmp_path / "store" / UPLOADS_FOLDER).is_dir() and not (tmp_path / "store-sample" / UPLOADS_FOLDER).exists()
    assert cached_queries.find_store_path() == cached_queries.SAMPLE_STORE  # files alone make no store to show


def test_tables_of_different_columns_are_built_one_after_another(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a/one.csv", "text\nx\n")
        archive.writestr("two.jsonl", '{"body": "y"}')
        archive.writestr("manifest.csv", "path,date\n")
        archive.writestr("note.txt", "z")
    mixed = save_upload(tmp_path, "mixed.zip", sink.getvalue(), (".csv", ".jsonl", ".txt"))
    whole = save_upload(tmp_path, "only.txt", b"only text", (".txt",))
    one, two = mixed.path / "a/one.csv", mixed.path / "two.jsonl"
    monkeypatch.chdir(elsewhere)
    made = uploads.plan_builds([mixed, whole], {one: (), two: (("text", "body"),)})
    assert made == [((), [str(mixed.path / "note.txt"), str(whole.path), str(one)]), ((("text", "body"),), [str(two)])]
    assert uploads.plan_builds([mixed], {one: (), two: ()}) == [((), [str(mixed.path)])]
    monkeypatch.chdir(tmp_path)  # within the working folder names are relative to it
    assert uploads.plan_builds([mixed], {one: (), two: ()}) == [((), [str(mixed.path.relative_to(tmp_path))])]


def test_an_empty_store_can_be_filled_from_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(tmp_path / "empty"))
    app = sources()
    assert "This store contains no texts yet." in said(app)
    assert len(app.file_uploader) == 1 and not app.error
    app = uploaded(app, CSV)
    assert "Build with 1 file" in [button.label for button in app.button]
    build_store(tmp_path / "empty", NOTICE)
    assert headline(app.run())["Documents"] == "7"


def test_other_pages_of_an_empty_store_lead_to_it(tmp_path, monkeypatch):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(tmp_path / "empty"))
    [link] = opened().get("page_link")
    assert "Sources" in link.proto.label


def test_a_cell_stands_for_its_outlet_and_period(store):
    chart = json.loads(sources(columns="year").get("plotly_chart")[0].proto.spec)
    [cells] = [trace for trace in chart["data"] if trace.get("name") == "Cells"]
    counted = sources_queries.query_outlet_coverage(open_snapshot(store), Slice(by="year"))
    pairs = zip(counted["outlet"], counted["period"], strict=True)
    assert sorted((cell["outlet"], cell["period"]) for cell in cells["customdata"] if cell) == sorted(pairs)
