"""PDF and Word files."""

from __future__ import annotations

import io
import re
import signal
import zipfile
from itertools import pairwise

import pytest
from pypdf import PdfReader, PdfWriter

from narratives.model import RawDocument, Rejected
from narratives.parse import Roster, parse_document
from narratives.read import encoding, office
from narratives.read import pdf as pdf_reader
from tests.helpers.pdf import make_pdf
from tests.helpers.reading import read

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RUNNING = "Bulletin of the Press Service"


def pdf(*pages):
    """A PDF whose pages hold the given lines."""
    shown = ("".join(f"({line}) Tj 0 {-30 if line == '' else -14} Td\n" for line in lines) for lines in pages)
    return make_pdf(f"BT /F1 11 Tf 50 780 Td\n{text}ET" for text in shown)


BULLETIN = pdf(
    [RUNNING, "Statement on the harbour dispute", "November 10, 2016",
     "The ministry regards the accusations as unfounded and asks its part-",
     "ners to publish the material on which they are said to rest, if there",
     "is any.",
     "A second note was handed to the ambassador on the same day, and it was", "1"],
    [RUNNING, "answered within the hour, although not in substance.",
     "No further comment is planned before the end of the conference.", "2"],
    [RUNNING, "Press service of the ministry, all enquiries in writing.", "3"],
)  # fmt: skip


def docx(*paragraphs):
    """A Word file of (style, text) paragraphs; a text may start with a bold part ended by `|`."""
    body = ""
    for style, text in paragraphs:
        bold, _, rest = text.rpartition("|")
        runs = f'<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{bold}</w:t></w:r>' if bold else ""
        mark = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        body += f'<w:p>{mark}{runs}<w:r><w:t xml:space="preserve">{rest}</w:t></w:r></w:p>'
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{i}"><w:name w:val="{n}"/></w:style>'
        for i, n in (("Heading1", "heading 1"), ("Heading2", "heading 2"))
    )
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}"><Default Extension="xml"'
        ' ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="a"'
        f' Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="b"'
        f' Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "word/styles.xml": f'<w:styles xmlns:w="{W}">{styles}</w:styles>',
        "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
    }
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return sink.getvalue()


def test_a_pdf_becomes_paragraphs_without_running_titles(tmp_path):
    [found] = read(tmp_path, BULLETIN, "a.pdf")
    assert found.text.split("\n\n") == [
        "Statement on the harbour dispute",
        "November 10, 2016",
        "The ministry regards the accusations as unfounded and asks its partners to publish the material on"
        " which they are said to rest, if there is any.",
        "A second note was handed to the ambassador on the same day, and it was answered within the hour,"
        " although not in substance.",
        "No further comment is planned before the end of the conference.",
        "Press service of the ministry, all enquiries in writing.",
    ]
    document = parse_document(found, Roster(()))
    assert (document.title, document.date) == ("Statement on the harbour dispute", "2016-11-10")


def test_a_word_file_keeps_its_structure(tmp_path):
    content = docx(
        ("Heading1", "Remarks on trade"),
        ("", "We met twice this year and shall meet again before the winter."),
        ("Heading2", "Answers"),
        ("", "Maria Orlova: |The figures are public."),
    )
    [found] = read(tmp_path, content, "a.docx")
    assert found.title == "Remarks on trade"
    assert [(p.text, p.kind, p.labelled) for p in found.paragraphs] == [
        ("We met twice this year and shall meet again before the winter.", "", False),
        ("Answers", "heading", False),
        ("Maria Orlova: The figures are public.", "", True),
    ]


def repacked(content, part, change):
    """A Word file with one part changed."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(sink, "w") as package:
        for name in whole.namelist():
            package.writestr(name, change(whole.read(name)) if name == part else whole.read(name))
    return sink.getvalue()


WORD = docx(("", "We met twice this year and shall meet again before the winter."))
MAIN = "word/document.xml"
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title><dc:creator>Anna Berg</dc:creator>'
    "</cp:coreProperties>"
)


def with_title(content, title):
    sink = io.BytesIO(content)
    with zipfile.ZipFile(sink, "a") as package:
        package.writestr("docProps/core.xml", CORE.format(title))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Speech on the quay", "Speech on the quay"),
        ("Microsoft Word - speech.doc", ""),
        ("Document1", ""),
        ("speech_final.docx", ""),
        ("", ""),
    ],
)
def test_the_properties_of_a_word_file_give_its_title_and_nobody_who_speaks(tmp_path, title, expected):
    [found] = read(tmp_path, with_title(WORD, title), "a.docx")
    assert (found.title, found.speaker, found.date) == (expected, "", "")
    [found] = read(tmp_path, with_title(docx(("Heading1", "Own title"), ("", "A text.")), title), "a.docx")
    assert found.title == "Own title"


def word(body):
    """A Word file with this content of its body."""
    return repacked(WORD, MAIN, lambda _: f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'.encode())


def run(text, tag="t"):
    return f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


DELETED_END = '<w:pPr><w:rPr><w:del w:id="1" w:author="A"/></w:rPr></w:pPr>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            f"<w:p>{run('The quay ')}<w:ins>{run('is ')}</w:ins><w:del>{run('was ', 'delText')}</w:del>"
            f"{run('old.')}</w:p>",
            ["The quay is old."],
        ),
        (
            f"<w:p>{DELETED_END}{run('The quay is old')}</w:p><w:p>{run(' and worn.')}</w:p>",
            ["The quay is old and worn."],
        ),
        (f"<w:p>{DELETED_END}<w:del>{run('Gone.', 'delText')}</w:del></w:p><w:p>{run('Kept.')}</w:p>", ["Kept."]),
        (
            f"<w:p>{run('First. ')}<w:moveFrom>{run('Moved.')}</w:moveFrom></w:p>"
            f"<w:p><w:moveTo>{run('Moved.')}</w:moveTo></w:p>",
            ["First.", "Moved."],
        ),
        (
            f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p>{run('Gone.')}</w:p></w:tc></w:tr>"
            f"<w:tr><w:tc><w:p>{run('A cell that stays.')}</w:p></w:tc></w:tr></w:tbl>",
            ["A cell that stays."],
        ),
        (f"<w:sdt><w:sdtContent><w:p>{run('In a control.')}</w:p></w:sdtContent></w:sdt>", ["In a control."]),
    ],
    ids=["inserted", "joined", "emptied", "moved", "row", "control"],
)
def test_a_word_file_is_read_with_its_changes_accepted(tmp_path, body, expected):
    [found] = read(tmp_path, word(body), "a.docx")
    assert [paragraph.text for paragraph in found.paragraphs] == expected


def encrypted(password):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(BULLETIN)))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    sink = io.BytesIO()
    writer.write(sink)
    return sink.getvalue()


def test_a_pdf_that_is_locked_against_changes_only_is_read(tmp_path):
    [found] = read(tmp_path, encrypted(""), "a.pdf")
    assert isinstance(found, RawDocument) and "partners" in found.text


LAUGHS = '<!DOCTYPE w [<!ENTITY a "ha ha ha ">%s]>' % "".join(  # noqa: UP031
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise("abcdefghij")
)


def bomb(content):
    return (LAUGHS + content.decode().replace("We met", "&j; We met")).encode()


def locked(content):
    """The package with every part marked as encrypted, in both of its lists."""
    content = re.sub(rb"(?s)(PK\x03\x04..)\x00", b"\\1\x01", content)
    return re.sub(rb"(?s)(PK\x01\x02....)\x00", b"\\1\x01", content)


IDS = "locked header cut foreign empty scan empty-docx zip-header zip-cut old-doc bare"
IDS += " no-xml no-root bomb bomb-16 bomb-in-styles deep zip-locked"
IDS = IDS.split()


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (encrypted("secret"), "a.pdf", "an encrypted one"),
        (b"%PDF-1.4 and nothing more", "a.pdf", "a corrupt one"),
        (BULLETIN[: len(BULLETIN) // 3], "a.pdf", "a corrupt one"),
        (b"no PDF", "a.pdf", "a corrupt one"),
        (b"", "a.pdf", "an empty file"),
        (pdf([]), "a.pdf", "scanned pages"),
        (b"", "a.docx", "an empty file"),
        (b"PK\x03\x04 cut off", "a.docx", "a corrupt one"),
        (docx(("", "Text."))[:-40], "a.docx", "a corrupt one"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "a.docx", "an encrypted or old .doc"),
        (docx(), "a.docx", "with text; got none"),
        (repacked(WORD, MAIN, lambda _: b"not <xml at"), "a.docx", "a corrupt one"),
        (repacked(WORD, MAIN, lambda _: b"<a/>"), "a.docx", "a corrupt one"),
        (repacked(WORD, MAIN, bomb), "a.docx", f"part '{MAIN}' defines entities"),
        (repacked(WORD, MAIN, lambda xml: bomb(xml).decode().encode("utf-16")), "a.docx", "defines entities"),
        (repacked(WORD, "word/styles.xml", bomb), "a.docx", "part 'word/styles.xml' defines entities"),
        (repacked(WORD, MAIN, lambda xml: xml.replace(b"<w:r>", b"<w:r>" * 9000)), "a.docx", "a corrupt one"),
        (locked(WORD), "a.docx", "without a password; got an encrypted one"),
    ],
    ids=IDS,
)
def test_what_cannot_be_read_is_rejected_with_the_reason(tmp_path, content, name, why):
    [rejected] = read(tmp_path, content, name)
    assert isinstance(rejected, Rejected) and why in rejected.reason


def test_a_word_file_of_too_many_parts_is_not_made_a_tree(tmp_path, monkeypatch):
    swollen = repacked(WORD, MAIN, lambda xml: xml.replace(b"</w:body>", b"<w:p/>" * 3000 + b"</w:body>"))
    monkeypatch.setattr(office, "MAX_TAGS", 3000)
    assert "up to 3,000 XML tags in a file of this size; got " in read(tmp_path, swollen, "a.docx")[0].reason
    monkeypatch.setattr(office, "MAX_XML", 10_000)
    assert "MB of XML; got more" in read(tmp_path, swollen, "a.docx")[0].reason
    assert isinstance(read(tmp_path, WORD, "a.docx")[0], RawDocument)


@pytest.mark.parametrize(
    "element", [b"<w:p><w:r><w:t>Words.</w:t></w:r></w:p>", b"<w:tbl>", b"<w:hyperlink w:anchor='a'>"]
)
def test_a_small_word_file_of_repeated_elements_is_rejected_before_it_is_converted(tmp_path, monkeypatch, element):
    monkeypatch.setattr("mammoth.convert_to_html", None)
    stored = repacked(WORD, MAIN, lambda xml: xml.replace(b"</w:body>", element * 150_000 + b"</w:body>"))
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(stored)) as whole, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as package:
        for name in whole.namelist():
            package.writestr(name, whole.read(name))
    assert len(sink.getvalue()) < 98_000
    [rejected] = read(tmp_path, sink.getvalue(), "a.docx")
    assert "up to 50,000 XML tags in a file of this size" in rejected.reason


def test_one_note_is_not_repeated_for_each_reference(tmp_path):
    def refer(times):
        mark = b'<w:p><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
        return repacked(WORD, MAIN, lambda xml: xml.replace(b"</w:body>", mark * times + b"</w:body>"))

    [rejected] = read(tmp_path, refer(5000), "a.docx")
    assert "one reference to each note; got 5,000 more references than notes" in rejected.reason


def test_pictures_do_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(office, "MAX_XML", 10_000)
    sink = io.BytesIO(WORD)
    with zipfile.ZipFile(sink, "a") as package:
        package.writestr("word/media/image1.png", b"\x89PNG" + bytes(20_000))
    assert isinstance(read(tmp_path, sink.getvalue(), "a.docx")[0], RawDocument)


def test_a_pdf_of_endless_text_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf_reader, "MAX_DOCUMENT_SIZE", 100)
    assert "got a longer one" in read(tmp_path, BULLETIN, "a.pdf")[0].reason


def test_a_file_that_takes_too_long_is_given_up_and_the_alarm_of_others_stands(tmp_path, monkeypatch):
    rung = []
    slow = pdf([f"Line {i} of many, which all say the same." for i in range(40_000)])
    monkeypatch.setattr(encoding, "MAX_SECONDS", 0.3)
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    try:
        timer = signal.setitimer(signal.ITIMER_REAL, 60.0)
        [rejected] = read(tmp_path, slow, "a.pdf")
        assert "within 0.3 s; got one that takes longer" in rejected.reason
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 60.0 and not rung
        signal.raise_signal(signal.SIGALRM)
        assert rung == [True]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def test_a_broken_pdf_fills_no_screen(tmp_path, capfd):
    read(tmp_path, BULLETIN.replace(b"obj", b"obx"), "a.pdf")
    assert capfd.readouterr() == ("", "")
