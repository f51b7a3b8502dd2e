"""Cells that stand for nothing, and cells with HTML."""

from __future__ import annotations

import pytest

from narratives.model import Rejected
from narratives.read import find_inputs
from narratives.read.rows.cells import clean_text, clean_value
from tests.helpers.reading import put, read, read_json, read_parquet

TEXT = "The quay is to be rebuilt before the winter."


@pytest.mark.parametrize(
    "nothing", ["NA", "N/A", "#N/A", "n/a", "NULL", "null", "nan", "NaN", "None", "-", "–", "<NA>", r"\N"]
)
def test_what_stands_for_nothing_is_empty(tmp_path, nothing):
    row = {"text": TEXT, "speaker": nothing, "outlet": f" {nothing} ", "title": nothing, "date": nothing, "id": nothing}
    [document] = read_json(tmp_path, row)
    assert (document.speaker, document.outlet, document.title, document.date, document.id) == ("",) * 5
    cells = ",".join([f'"{TEXT}"', *[nothing] * 4])
    [document] = read(tmp_path, f"text,speaker,outlet,title,date\n{cells}\n", "a.csv")
    assert (document.speaker, document.outlet, document.title, document.date) == ("",) * 4
    [document] = read_parquet(tmp_path, {"text": [TEXT], "speaker": [nothing]})
    assert document.speaker == ""


@pytest.mark.parametrize("name", ["Nan Goldin", "Na", "Null", "NAN", "Dash-", "None of us", "Ana N/A", "0", "?"])
def test_names_that_only_look_like_nothing_stay(tmp_path, name):
    assert read_json(tmp_path, {"text": TEXT, "speaker": name})[0].speaker == name


@pytest.mark.parametrize("nothing", ["NA", " nan ", "NULL", "<p>N/A</p>", "-", "&nbsp;", "<br>"])
def test_a_text_that_stands_for_nothing_is_no_text(tmp_path, nothing):
    [rejected] = read_json(tmp_path, {"id": "1", "text": nothing})
    assert isinstance(rejected, Rejected) and "a text or paragraphs" in rejected.reason


def test_a_paragraph_that_stands_for_nothing_is_left_out(tmp_path):
    [document] = read_json(tmp_path, {"paragraphs": ["NA", {"text": TEXT, "speaker": "NULL"}]})
    assert [(p.text, p.speaker, p.labelled) for p in document.paragraphs] == [(TEXT, "", False)]


def test_a_manifest_says_nothing_in_the_same_way(tmp_path):
    put(tmp_path / "a.txt")
    put(tmp_path / "manifest.csv", "path,date,outlet,speaker\na.txt,2016,NA,-\n")
    [file] = find_inputs([str(tmp_path)])[0]
    assert file.manifest == {"date": "2016"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<p>The quay &amp; the pier.</p><p>Both are old.</p>", "The quay & the pier.\n\nBoth are old."),
        ("The quay.<br>The pier.<br/><br />The end.", "The quay.\nThe pier.\n\nThe end."),
        ("He said &quot;no&quot; &#39;twice&#39; &#x2013; &eacute;", "He said \"no\" 'twice' – é"),
        ("<div class='a'><h2>Quays</h2>Old <b>ones</b>.<ul><li>North</li><li>South</li></ul></div>",
         "Quays\n\nOld ones.\n\nNorth\n\nSouth"),
        ('See <a href="https://a.example/?b=1">the list</a>.\n\nAnd <em>more</em>.', "See the list.\n\nAnd more."),
        ("<p>One.</p>\n\n<p>Two\ngoes on.</p>", "One.\n\nTwo goes on."),
        ("First.\n\nSecond.<br>Third.", "First.\n\nSecond.\nThird."),
        ("&lt;p&gt;Escaped &amp;amp; twice.&lt;/p&gt;", "Escaped & twice."),
        ("<!-- wp:paragraph --><p>A post.</p><!-- /wp:paragraph -->", "A post."),
        ("<p>Text.</p><script>if (a < b) { c(); }</script><style>p { }</style>", "Text."),
        ("<P>Upper case.</P><BR>Line.", "Upper case.\n\nLine."),
        ("<p>Write to <office@quay.example>, if 3 < 4.</p>", "Write to <office@quay.example>, if 3 < 4."),
        ("<![CDATA[<p>In a feed.</p>]]>", "In a feed."),
        ("<table><tr><td>Quay</td><td>North</td></tr></table>", "Quay | North"),
    ],
)  # fmt: skip
def test_html_becomes_text(given, expected):
    assert clean_text(given) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Where a < b and c > d, nothing changes.",
        "If a<b>c holds, or x <i and y> z.",
        "AT&T; R&D; black & white; Q&A",
        "See https://a.example/?x=1&lt=2&copy=3 for it.",
        "He <laughs> and she <Anna> says <3",
        "The key <b> is stuck.",
        "1 <2 and 3> 2",
        "Write <office@quay.example>.",
    ],
)
def test_what_is_no_html_stays_as_it_is(tmp_path, text):
    assert clean_text(text) == text and clean_value(text) == text


def test_the_cells_of_every_table_are_cleaned(tmp_path):
    row = {"text": f"<p>{TEXT}</p>", "title": "Quays &amp; <b>piers</b>", "speaker": "Anna &quot;An&quot; Berg"}
    row["url"] = "https://a.example/?a=1&amp;b=2"
    [document] = read_json(tmp_path, row)
    assert (document.text, document.title, document.speaker) == (TEXT, "Quays & piers", 'Anna "An" Berg')
    assert document.url == "https://a.example/?a=1&b=2"


@pytest.mark.parametrize("character", ["\x01", "&#1;", "\x1f", "\ufffe", "&#xFFFF;"])
def test_html_with_a_control_character_costs_neither_its_row_nor_the_rows_after_it(tmp_path, character):
    rows = [{"text": f"<p>The qu{character}ay.</p><table><tr><td>a</td><td>b</td></tr></table>"}, {"text": TEXT}]
    first, last = read_json(tmp_path, *rows)
    assert first.text.startswith("The qu") and first.text.endswith("ay.\n\na | b") and last.text == TEXT


@pytest.mark.parametrize("piece", ["<", "<p ", "<a b=c", "&", "&lt;p", "<p>", "<div>", "\n ", "<!--", "</b>"])
def test_endless_markup_comes_to_an_end(piece):
    assert isinstance(clean_text(piece * 100_000 + "<br>"), str)
