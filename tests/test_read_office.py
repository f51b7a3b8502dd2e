"""PDF and Word files."""

from __future__ import annotations

import io
import zipfile

import pytest
from pypdf import PdfReader, PdfWriter

from narratives.model import RawDocument, Rejected
from narratives.parse import Roster, parse_document

from .reading import read

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RUNNING = "Bulletin of the Press Service"


def pdf(*pages):
    """A PDF whose pages hold the given lines."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for lines in pages:
        shown = "".join(f"({line}) Tj 0 {-30 if line == '' else -14} Td\n" for line in lines)
        stream = f"BT /F1 11 Tf 50 780 Td\n{shown}ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    return out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()


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


def encrypted(password):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(BULLETIN)))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    sink = io.BytesIO()
    writer.write(sink)
    return sink.getvalue()


def test_a_pdf_that_is_locked_against_changes_only_is_read(tmp_path):
    [found] = read(tmp_path, encrypted(""), "a.pdf")
    assert isinstance(found, RawDocument) and "partners" in found.text


IDS = "locked header cut foreign empty scan empty-docx zip-header zip-cut old-doc bare".split()  # noqa: SIM905


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
    ],
    ids=IDS,
)
def test_what_cannot_be_read_is_rejected_with_the_reason(tmp_path, content, name, why):
    [rejected] = read(tmp_path, content, name)
    assert isinstance(rejected, Rejected) and why in rejected.reason
