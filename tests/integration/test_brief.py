"""The brief: its numbers are the snapshot's, its texts are harmless, and the command makes it again."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.brief import build_html, charts, format_command
from narratives.brief.page import EXCERPT_LENGTH, cut_excerpt
from narratives.cli import main
from narratives.model import QualityMetrics, Slice, UsageError
from narratives.render import phrases
from narratives.render.colours import compute_contrast
from narratives.store import Store, open_snapshot
from narratives.store.queries import prevalence as prevalence_queries
from narratives.workflows import brief
from narratives.workflows.brief import select_diverse
from tests.conftest import ROOT
from tests.helpers.factory import build_store, content, document

NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"
HOSTILE = '"><img src=http://evil.example/x.png onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_store(tmp_path_factory.mktemp("brief") / "store", NOTICE).path


class Read(HTMLParser):
    """Tags, attributes and texts of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.said = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.texts.append(data)


def test_its_numbers_are_those_of_the_snapshot(store):
    snapshot = open_snapshot(store)
    s = Slice()
    made = brief.gather_brief(snapshot, s)
    counted = snapshot.prevalence(s)
    expected = counted[counted["origin"] == "codebook"].groupby("narrative_id")["paragraphs"].sum()
    assert made.ranked.set_index("narrative_id")["paragraphs"].to_dict() == expected.to_dict()
    assert set(made.ranked["total_paragraphs"]) == {made.totals.placed}
    assert made.ranked["paragraphs"].is_monotonic_decreasing
    said = Read(build_html(made, "store")).said
    totals = snapshot.totals(s)
    for figure in (f"{totals.documents} Documents", f"{totals.statements} Statement paragraphs"):
        assert " ".join(reversed(figure.split(" ", 1))) in said
    assert phrases.describe_denominator(s, totals.placed, "2016–2018") in said
    assert phrases.describe_undated(totals.undated, s) in said
    assert phrases.CAVEAT in said and phrases.make_sentence(NOTICE) in said and made.manifest.snapshot_id in said
    assert "was not measured" in said


@pytest.mark.parametrize("unit", ["paragraph", "document"])
@pytest.mark.parametrize("of", ["speaker", "outlet", "voice"])
def test_groups_are_counted_as_in_the_rows_themselves(store, of, unit):
    snapshot = open_snapshot(store)
    s = Slice(unit=unit, copies="all")
    rows = snapshot.frame(
        f'SELECT p.paragraph_id, p.document_id, p.{of} AS "group" FROM snap.paragraphs p '
        "WHERE p.statement AND p.year IS NOT NULL"
    )
    pairs = snapshot.frame("SELECT paragraph_id, narrative_id FROM snap.assignments WHERE status <> 'rejected'")
    found = prevalence_queries.query_group_sums(snapshot, s, of, 10)
    assert prevalence_queries.count_groups(snapshot, s, of) == rows["group"].nunique() == found["group"].nunique()
    key = "paragraph_id" if unit == "paragraph" else "document_id"
    total = rows.groupby("group")[key].nunique()
    hits = rows.merge(pairs).groupby(["group", "narrative_id"])[key].nunique()
    for row in found.to_dict("records"):
        assert row["total_paragraphs"] == total[row["group"]]
        assert row["paragraphs"] == hits.get((row["group"], row["narrative_id"]), 0)
        assert row["documents"] == rows[rows["group"] == row["group"]]["document_id"].nunique()
    advancing = found.groupby("group", sort=False)["paragraphs"].sum()
    assert advancing.is_monotonic_decreasing


def test_filters_narrow_every_part(store):
    s = Slice(speakers=("Vladimir Putin",), date_from="2016", date_to="2018")
    made = brief.gather_brief(open_snapshot(store), s)
    assert set(made.evidence["speaker"]) == {"Vladimir Putin"}
    assert made.grouping == "outlet" and set(made.groups["group"]) == {"RT", "TASS"}
    said = Read(build_html(made, "store")).said
    assert "in statements by Vladimir Putin, 2016–2018" in said
    assert "speaker: Vladimir Putin; dates: 2016–2018" in said
    assert "Zakharova" not in said


def test_what_is_named_is_shown_whatever_its_origin(store):
    made = brief.gather_brief(open_snapshot(store), Slice(narratives=("c-0000beef",)))
    assert made.ranked["narrative"].tolist() == ["Exports and slides"]
    assert "Exports and slides" in Read(build_html(made, "store")).said


def test_nothing_to_show_is_said(store):
    made = brief.gather_brief(open_snapshot(store), Slice(speakers=("Nobody",)))
    read = Read(build_html(made, "store"))
    assert "No dated statement paragraph matches these filters." in read.said and "svg" not in read.tags


def test_quality_and_its_caveat_stand_in_it(tmp_path):
    made = build_store(tmp_path / "store")
    figures = QualityMetrics("", 17, 0.75, 0.6, 0.9, 0.625, 0.5, 0.7, 0.6667, 0.5, 0.78, 0.7, 0.6, 0.8)
    made.put_quality(made.current() or "", (figures,), "labels by a machine")
    said = Read(brief.write_brief(made.path, Slice(), None)).said
    assert "precision 0.75, recall 0.62, F1 0.67 (0.50–0.78). Labels by a machine." in said


def test_a_hostile_text_stays_a_text(tmp_path):
    base = content()
    made = document(
        8, "2018-05-09", HOSTILE, HOSTILE, [(HOSTILE, "own", f"{HOSTILE} said at some length.", {"wwii_memory": 0.99})]
    )
    bad = replace(made[0], url="javascript:alert(3)", title=HOSTILE)
    narratives = tuple(replace(n, name=f"{n.name} {HOSTILE}") for n in base.narratives.narratives)
    store = Store(tmp_path / "store")
    store.write_snapshot(
        replace(
            base,
            documents=[*base.documents, bad],
            assignments=[*base.assignments, *made[1]],
            statements={*base.statements, *(p.paragraph_id for p in bad.paragraphs if p.kind == "body")},
            narratives=replace(base.narratives, narratives=narratives),
            notice=HOSTILE,
        )
    )
    page = brief.write_brief(store.path, Slice(speakers=(HOSTILE,)), None)
    read = Read(page)
    assert not {"script", "img", "iframe", "object", "embed", "link", "form", "base"} & set(read.tags)
    assert f"{HOSTILE} said at some length." in read.said
    for tag, name, value in read.attributes:
        assert not name.startswith("on") and name not in ("src", "srcset", "style", "xlink:href")
        assert name != "href" or (tag == "a" and urlsplit(value).scheme in ("http", "https"))
    style = read.texts[read.texts.index(next(t for t in read.texts if "@page" in t))]
    assert "url(" not in style and "@import" not in style and "@font-face" not in style
    policy = [value for tag, name, value in read.attributes if tag == "meta" and name == "content"]
    assert "default-src 'none'; style-src 'unsafe-inline'" in policy


def test_it_can_be_read_without_seeing_it(store):
    read = Read(brief.write_brief(store, Slice(), None))
    assert ("html", "lang", "en") in read.attributes and "title" in read.tags
    drawings = read.tags.count("svg")
    assert drawings == 3 + 1 + 1  # three narratives over time, all ranked, who
    assert read.attributes.count(("svg", "role", "img")) == drawings
    labels = [value for tag, name, value in read.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(labels) == drawings and all(len(label) > 20 for label in labels)
    assert read.tags.count("desc") == drawings
    levels = [tag for tag in read.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == "h1" and levels.count("h1") == 1


def test_text_stands_out_from_what_it_stands_on():
    for ink in (charts.INK_COLOUR, charts.GREY_COLOUR):
        assert compute_contrast(ink, "#ffffff") >= 4.5
    assert compute_contrast(charts.INK_COLOUR, charts.compute_shade(charts.MAX_SHADE)) >= 4.5
    assert (
        compute_contrast(charts.ACCENT_COLOUR, "#ffffff") >= 4.5
        and compute_contrast(charts.ACCENT_COLOUR, charts.BAND_COLOUR) >= 3
    )


PARAGRAPHS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 4), st.sampled_from(["", "P", "Z"])),
    max_size=30,
    unique_by=lambda row: (row[0], row[1]),
)


@settings(deadline=None, max_examples=60)
@given(PARAGRAPHS, st.integers(1, 6))
def test_the_paragraphs_chosen_are_different(rows, most):
    table = pd.DataFrame(
        [(n, f"p{p}", f"d{p % (d + 1)}", speaker, 1.0) for n, p, d, speaker in rows],
        columns=["narrative_id", "paragraph_id", "document_id", "speaker", "score"],
    )
    chosen = select_diverse(table, most)
    assert chosen["paragraph_id"].is_unique
    assert len(chosen) == min(most, table["paragraph_id"].nunique())


def test_narratives_take_turns_and_speakers_differ():
    rows = [
        ("a", "p1", "d1", "P", 0.99),
        ("a", "p2", "d2", "P", 0.98),
        ("b", "p1", "d1", "P", 0.97),
        ("b", "p3", "d3", "P", 0.96),
        ("b", "p4", "d4", "Z", 0.90),
    ]
    columns = ["narrative_id", "paragraph_id", "document_id", "speaker", "score"]
    assert select_diverse(pd.DataFrame(rows, columns=columns), 2)["paragraph_id"].tolist() == ["p1", "p4"]
    assert select_diverse(pd.DataFrame(rows, columns=columns), 5)["paragraph_id"].tolist() == ["p1", "p4", "p2", "p3"]


@given(st.floats(1e-5, 1.0), st.integers(2, 6))
def test_ticks_are_few_and_inside(top, most):
    found = charts.compute_ticks(top, most)
    assert found[0] == 0 and 2 <= len(found) <= most + 1 and found[-1] <= top * 1.001


@settings(deadline=None)
@given(st.text(max_size=900), st.text(max_size=300))
def test_an_excerpt_is_of_the_text(text, passage):
    shown = cut_excerpt(text, passage)
    assert len(shown) <= EXCERPT_LENGTH + 4
    assert shown.removeprefix("… ").removesuffix(" …").strip() in " ".join(text.split())


def test_an_excerpt_begins_where_the_match_was_decided():
    text = "Filler here. " * 40 + "This decided it. And this too. " + "More of it. " * 40
    shown = cut_excerpt(text, "This decided it. And this too.")
    assert shown.startswith("… This decided it. And this too.") and shown.endswith(" …")


def test_the_command_in_it_makes_it_again(store, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(store.parent)
    s = Slice(
        speakers=("Vladimir Putin", "", "--nobody"), date_from="2016", by="half", copies="all", voices=("own", "outlet")
    )
    snapshot = open_snapshot(store)
    command = shlex.split(format_command(s, snapshot.meta().snapshot_id, "store"))
    first = build_html(brief.gather_brief(snapshot, s), "store")
    assert command[:3] == ["python", "-m", "narratives"]
    assert main(command[3:]) == 0
    assert (store.parent / "brief.html").read_text("utf-8") == first
    assert main(["brief", "--store", "store", "--as-of", snapshot.meta().snapshot_id]) == 0
    assert "<!DOCTYPE html>" in capsys.readouterr().out


def test_what_cannot_be_meant_is_refused(store, tmp_path):
    for options in (
        ["--out", str(tmp_path / "brief.pdf")],
        ["--out", str(tmp_path / "none" / "brief.html")],
        ["--narrative", "nobody_says_this"],
        ["--from", "2018", "--to", "2016"],
        ["--from", "soon"],
    ):
        assert main(["brief", "--store", str(store), *options]) == 2, options
    assert main(["brief", "--store", str(tmp_path / "no-store")]) == 1
    with pytest.raises(UsageError):
        brief.write_brief(store, Slice(), tmp_path / "brief.txt")


def test_the_command_line_makes_it_without_streamlit(store):
    code = (
        f"import sys; from narratives.__main__ import main; main(['brief', '--store', {str(store)!r}]); "
        "sys.exit('streamlit' in sys.modules or 'torch' in sys.modules or 'plotly' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
