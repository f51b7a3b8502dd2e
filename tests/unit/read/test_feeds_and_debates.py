"""Feeds and records of debates that were saved to disk."""

from __future__ import annotations

import pytest

from narratives.model import Rejected
from narratives.parse import Roster, parse_document
from tests.helpers.reading import read

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>Port Authority</title><link>https://port.example</link><language>en-gb</language>
<item><title>Bridge opened</title><link>https://port.example/7?utm_source=feed</link>
<pubDate>Sat, 02 Mar 2019 23:30:00 -0500</pubDate><author>Ann Lister</author>
<description>The bridge is open.</description>
<content:encoded><![CDATA[<p>The bridge is open.</p><blockquote>No tolls this year.</blockquote>]]></content:encoded>
</item>
<item><title>Tolls &amp;amp; fees</title><guid>urn:toll-17</guid><source url="https://h.example">The Herald</source>
<pubDate>3 March 2019</pubDate><description>First part.

Second part.</description></item>
<item><title>Only a title</title></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Port Authority</title>
<entry><title type="html">A &lt;i&gt;new&lt;/i&gt; bridge</title><link href="https://port.example/8"/><id>x</id>
<updated>2019-03-05T10:00:00Z</updated><published>2019-03-02T10:00:00Z</published>
<content type="html">&lt;p&gt;It is open.&lt;/p&gt;</content></entry></feed>"""


@pytest.mark.parametrize("name", ["a.rss", "a.xml", "a.html", "a.htm", "a.atom", "a.xml.gz"])
def test_each_entry_of_a_feed_is_a_document_whatever_its_extension(tmp_path, name):
    import gzip

    content = gzip.compress(RSS.encode()) if name.endswith(".gz") else RSS
    first, second, empty = read(tmp_path, content, name)
    assert (first.title, first.outlet, first.url) == ("Bridge opened", "Port Authority", "https://port.example/7")
    assert (first.date, first.language, first.speaker) == ("2019-03-02T23:30:00-05:00", "en-gb", "")
    assert [(p.text, p.kind) for p in first.paragraphs] == [
        ("The bridge is open.", ""),
        ("No tolls this year.", "quote"),
    ]
    assert (second.title, second.outlet, second.id) == ("Tolls & fees", "The Herald", "urn:toll-17")
    assert [p.text for p in second.paragraphs] == ["First part.", "Second part."]
    assert isinstance(empty, Rejected) and empty.row == 3


def test_a_date_keeps_the_day_that_the_feed_names(tmp_path):
    first, second, _ = read(tmp_path, RSS, "a.xml")
    assert [parse_document(d, Roster(())).date for d in (first, second)] == ["2019-03-02", "2019-03-03"]


def test_an_atom_entry_has_the_date_of_publication(tmp_path):
    [document] = read(tmp_path, ATOM, "a.atom")
    assert (document.title, document.date) == ("A new bridge", "2019-03-02T10:00:00+00:00"[:10] + "T10:00:00Z")
    assert [p.text for p in document.paragraphs] == ["It is open."]


@pytest.mark.parametrize("number", ["#xD800", "#57343", "#x110000", f"#{'9' * 5000}", "#x0000DfFf"])
def test_a_reference_to_no_character_costs_no_entry(tmp_path, number):
    first, second, empty = read(tmp_path, RSS.replace("The bridge", f"The &amp;{number}; bridge &{number};"), "a.rss")
    assert "bridge \ufffd" in first.paragraphs[0].text and second.title == "Tolls & fees"
    assert isinstance(empty, Rejected)


def test_an_entry_with_a_torn_id_costs_no_other(tmp_path):
    first, second, _ = read(tmp_path, RSS.replace("<guid>urn:toll-17</guid>", "<guid><b>urn</id></b>"), "a.rss")
    assert first.title == "Bridge opened" and (second.id, second.url) == ("", "")
    assert [p.text for p in second.paragraphs] == ["First part.", "Second part."]


def test_a_map_can_make_the_author_the_speaker(tmp_path):
    first, *_ = read(tmp_path, RSS, "a.rss", {"speaker": "author", "text": "body"})
    assert first.speaker == "Ann Lister" and len(first.paragraphs) == 2


def test_a_manifest_describes_a_feed_but_gives_it_no_address(tmp_path):
    first, *_ = read(tmp_path, RSS, "a.rss", manifest={"outlet": "Port"})
    assert first.outlet == "Port"
    [rejected] = read(tmp_path, RSS, "a.rss", manifest={"url": "https://port.example/feed"})
    assert "no url for a file with several documents" in rejected.reason


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ("<rss><channel><title>x</title></channel></rss>", "a feed with entries; got none"),
        ("<urlset><url><loc>https://x.example</loc></url></urlset>", "a sitemap. It lists addresses"),
        ("<inventory><row/></inventory>", "XML of the kind 'inventory'. Convert it"),
        ("<publicwhip><major-heading id='1'>Bridges</major-heading></publicwhip>", "speeches; got none"),
        ("<publicwhip><speech>", "corrupt"),
        ("no xml", "XML of the kind 'unknown'"),
    ],
)
def test_other_xml_is_rejected_with_what_to_do(tmp_path, content, got):
    [rejected] = read(tmp_path, content, "a.xml")
    assert isinstance(rejected, Rejected) and got in rejected.reason


def test_a_page_that_mentions_a_feed_is_a_page(tmp_path):
    body = "<p>The mayor opened the bridge, and said that the tolls would be low for years to come.</p>"
    [document] = read(
        tmp_path, f"<!-- <rss> --><html><head><title>Bridge</title></head><body>{body}</body></html>", "a.xml"
    )
    assert document.title == "Bridge"


DEBATES = """<?xml version="1.0"?><!DOCTYPE publicwhip [<!ENTITY ndash "&#8211;">]><publicwhip>
<oral-heading id="debate/2019-03-04b.1.0" nospeaker="true">ORAL ANSWERS</oral-heading>
<major-heading id="debate/2019-03-04b.2.0" nospeaker="true">Bridges</major-heading>
<minor-heading id="debate/2019-03-04b.2.1" nospeaker="true">Tolls</minor-heading>
<speech id="debate/2019-03-04b.2.2" speakername="Tom Arkell" speakerid="m/1"><p>Who pays &ndash; and when?</p></speech>
<speech id="debate/2019-03-04b.2.3" speakername="Edda Voss"><p>The port pays.</p><p>It pays this year.</p></speech>
<speech id="debate/2019-03-04b.2.4" nospeaker="true"><p>The sitting was suspended.</p></speech>
<major-heading id="debate/2019-03-04b.3.0" nospeaker="true">Ferries</major-heading>
<speech id="debate/2019-03-04b.3.1" speakername="Edda Voss"><p>The ferries sail.</p><ul><li>At six.</li></ul></speech>
</publicwhip>"""


def test_each_debate_of_a_day_is_a_document_with_its_speakers(tmp_path):
    bridges, ferries = read(tmp_path, DEBATES, "debates.xml")
    assert [(d.title, d.date, d.id) for d in (bridges, ferries)] == [
        ("Bridges", "2019-03-04", "debate/2019-03-04b.2.0"),
        ("Ferries", "2019-03-04", "debate/2019-03-04b.3.0"),
    ]
    assert [(p.speaker, p.text, p.kind, p.labelled) for p in bridges.paragraphs] == [
        ("", "Tolls", "heading", False),
        ("Tom Arkell", "Who pays – and when?", "", True),
        ("Edda Voss", "The port pays.", "", True),
        ("Edda Voss", "It pays this year.", "", True),
        ("", "The sitting was suspended.", "", False),
    ]
    assert [(p.text, p.kind) for p in ferries.paragraphs] == [("The ferries sail.", ""), ("At six.", "list-item")]


def test_utterances_in_tei_have_the_names_behind_their_ids(tmp_path):
    content = """<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:id="S-12"><teiHeader><fileDesc><titleStmt>
    <title>Sitting 12</title></titleStmt></fileDesc><profileDesc><settingDesc><setting>
    <date when="2019-03-04"/></setting></settingDesc><particDesc><listPerson><person xml:id="p1"><persName>
    <forename>Edda</forename> <surname>Voss</surname></persName></person></listPerson></particDesc></profileDesc>
    </teiHeader><text><body><div>
    <u who="#p1"><seg>The port pays.</seg><seg>It pays this year.</seg></u><u who="#TomArkell"><seg>Good.</seg></u>
    </div></body></text></TEI>"""
    [document] = read(tmp_path, content, "sitting.xml")
    assert (document.title, document.date, document.id) == ("Sitting 12", "2019-03-04", "S-12")
    assert [p.speaker for p in document.paragraphs] == ["Edda Voss", "Edda Voss", "Tom Arkell"]


def test_entities_that_grow_are_rejected(tmp_path):
    chain = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
    content = (
        f'<!DOCTYPE publicwhip [<!ENTITY a "{"x" * 20}">{chain}]><publicwhip><speech><p>&h;</p></speech></publicwhip>'
    )
    [rejected] = read(tmp_path, content, "a.xml")
    assert isinstance(rejected, Rejected)


def test_external_entities_are_not_opened(tmp_path):
    (tmp_path / "secret.txt").write_text("a secret")
    content = (
        f'<!DOCTYPE publicwhip [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>'
        '<publicwhip><speech id="debate/2019-03-04b.1" speakername="A"><p>See &x; here.</p></speech></publicwhip>'
    )
    assert "a secret" not in repr(read(tmp_path, content, "a.xml"))
