"""The Kremlin's layout: speakers in bold, tooltips, boxes, breaks, print versions."""

from __future__ import annotations

from narratives.model import RawParagraph
from narratives.parse import Roster, parse_document
from tests.helpers.reading import read

TIP = (
    '<span class="read__tooltip tooltip_person hidden masha-ignore"><span class="tooltip__text">Denis Orlov'
    " was born in 1968.</span></span>"
)
BODY = f"""
<div class="slider masha-ignore"><div data-text="Before the meeting.">Photo 1 of 3</div></div>
<p>The meeting was held in the
Kremlin.</p>
<p><b>* * *</b></p>
<p><b>President of Russia Vladimir Putin: </b>Good afternoon. We have a long list.</p>
<p>Let us begin.</p>
<blockquote><p>We have a long list. Let us begin.</p></blockquote>
<p><b>Minister of Ports <a class="person_tag" href="/p/1">Denis Orlov{TIP}</a></b><b>:</b>
Thank you, Mr President.</p>
<p><b>King Abdullah</b> <i>(retranslated)</i>: I am glad to be here.</p>
<p>&lt;…&gt;</p>
<div class="read__cut masha-ignore"><h3>See also</h3><a href="/1">Trip to Ryazan</a>
<div>March 1, 2012</div></div>
<p><b>Question:</b> May I?</p>
<p>***</p>
<p>The guests left in the evening.</p>
<div class="read__bottommeta"><h3>Topics</h3><ul><li>Ports</li></ul></div>
"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Meeting on ports</title>
<meta property="og:url" content="{url}"></head><body><div class="read" data-href="{url}"><article>
<h1 class="entry-title p-name">Meeting on ports</h1>
<div class="read__lead p-summary"><p>Ports were discussed.</p></div>
<time class="read__published" datetime="2016-03-25">March 25, 2016</time>
<div class="entry-content e-content read__internal_content">{body}</div></article></div>
<time datetime="2012-03-01">1 March 2012</time></body></html>"""
URL = "http://en.kremlin.ru/events/president/news/51568"
PUTIN = "President of Russia Vladimir Putin"


def page(tmp_path, url=URL, body=BODY, name="any.html"):
    [document] = read(tmp_path, PAGE.format(url=url, body=body), name)
    return document


def test_speakers_are_parted_from_their_words_and_carried_on_to_the_break(tmp_path):
    assert page(tmp_path).paragraphs == (
        RawParagraph("The meeting was held in the Kremlin."),
        RawParagraph("* * *"),
        RawParagraph("Good afternoon. We have a long list.", PUTIN, labelled=True),
        RawParagraph("Let us begin.", PUTIN),
        RawParagraph("Thank you, Mr President.", "Minister of Ports Denis Orlov", labelled=True),
        RawParagraph("King Abdullah (retranslated): I am glad to be here.", "King Abdullah", labelled=True),
        RawParagraph("<…>", "King Abdullah"),
        RawParagraph("May I?", "Question", labelled=True),
        RawParagraph("***"),
        RawParagraph("The guests left in the evening."),
    )


def test_what_the_page_says_of_itself(tmp_path):
    found = page(tmp_path)
    assert (found.title, found.outlet, found.date) == ("Meeting on ports", "Kremlin", "2016-03-25")
    assert (found.lead, found.url, found.row) == ("Ports were discussed.", URL, 0)


def test_a_print_version_is_the_same_document(tmp_path):
    original, twin = (parse_document(page(tmp_path, url), Roster(())) for url in (URL, URL + "/print"))
    assert original.document_id == twin.document_id
    assert original.paragraphs == twin.paragraphs


def test_labelled_and_carried_speakers_are_told_apart(tmp_path):
    found = parse_document(page(tmp_path), Roster(())).paragraphs
    methods = {p.text: p.speaker_method for p in found}
    assert methods["Good afternoon. We have a long list."] == "source label"
    assert methods["Let us begin."] == "turn continued"
    speakers = {p.text: p.speaker for p in found}
    assert speakers["The guests left in the evening."] == ""
    kinds = {p.text: p.kind for p in found}
    assert kinds["May I?"] == "question" and kinds["Ports were discussed."] == "heading"


def test_the_layout_of_another_site_is_not_taken_for_the_kremlins(tmp_path):
    assert page(tmp_path, "https://en.kremlin.ru.example.org/1").outlet != "Kremlin"


def test_a_page_with_a_lead_only_is_a_document(tmp_path):
    found = page(tmp_path, body="<div class='slider'>Photo</div>")
    assert (found.paragraphs, found.lead) == ((), "Ports were discussed.")
