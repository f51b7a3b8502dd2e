"""Read Word files with mammoth, and rich text with striprtf."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping

from lxml import etree
from lxml.html import HtmlElement

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, is_locked, make_empty_error, open_bytes
from narratives.read.exports import read_export
from narratives.read.html.fragments import make_paragraphs
from narratives.read.html.page import is_bold, is_hidden, iterate_blocks, parse_page
from narratives.read.rows import apply_manifest, replace_unstorable

MAX_FILE_BYTES = 200_000_000
MAX_XML = 50_000_000  # bytes of all XML parts of a Word file; a long book has ten million
MAX_TAGS = 500_000  # in that XML; each takes a kilobyte of memory and a tenth of a millisecond
# A tag repeats so well that a small file can hold millions. Word's own files have about one tag for two packed bytes.
MAX_TAGS_PER_BYTE, FREE_TAGS = 1, 50_000
MAX_REPEATED_NOTES = 10  # references to a note that has one already; each would repeat the whole note
MAX_TITLE_WORDS = 40

_SENTENCE_END = re.compile(r"[.!?…:;][\"”“’'»)\]]*$")
CORE_PROPERTIES = "docProps/core.xml"
_TITLE_PROPERTY = "{http://purl.org/dc/elements/1.1/}title"
_AUTOMATIC_TITLE = re.compile(
    r"(?:microsoft word\b.{0,200}|(?:untitled|unbenannt|sans titre|без имени|document|dokument|документ)\s?\d{0,4}"
    r"|normal|template|titel?|.{0,200}\.(?:docx?|dotx?|rtf|odt|pdf))",
    re.IGNORECASE,
)
_NOTE = re.compile(rb"[:<](?:foot|end)note(Reference)?[\s/>]")
_NOTE_LINK = re.compile(r"#(?:footnote|endnote)-")
_HEAD = 4096
_MARKUP = re.compile(rb"[\xef\xbb\xbf\xfe\xff\s\0]*(?:<|\Z)")
_FONT = re.compile(r"\\f\d")
_RICH_TEXT = b"{\\rtf"
_ENCRYPTED_OFFICE = b"\xd0\xcf\x11\xe0"


def read_docx(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a Word file as one document, or as the articles of an export.

    The title is the first heading or short first line, or that of the properties. The date and author of the
    properties are those of the file, and not used. Raises ReadError if it is encrypted or has no text, and any error
    of mammoth if it is damaged.
    """
    data = load_bytes(file)
    content = _convert_docx_to_html(data)
    page = parse_page(f"<html><body>{content}</body></html>".encode())
    blocks = list(iterate_blocks(page, skip=lambda element: is_hidden(element) or _is_note_mark(element)))
    paragraphs = make_paragraphs(blocks)
    if not paragraphs:
        raise ReadError("a document with text", "none", "Add text, or leave it out.")
    if articles := read_export("\n\n".join(p.text for p in paragraphs), file, columns):
        yield from articles
        return
    first = paragraphs[0].text
    is_set_off = blocks[0].kind == "heading" or is_bold(blocks[0].runs) or not _SENTENCE_END.search(first)
    has_title = (
        len(paragraphs) > 1 and is_set_off and len(first.split()) <= MAX_TITLE_WORDS and blocks[0].kind != "quote"
    )
    title = first if has_title else _read_title(data)
    document = RawDocument(file.source_path, paragraphs=tuple(paragraphs[has_title:]), title=title)
    yield apply_manifest(document, file)


def _is_note_mark(element: HtmlElement) -> bool:
    """Return whether mammoth wrote this element for the mark of a footnote, or for the way back from it."""
    link = element[0] if element.tag == "sup" and len(element) == 1 else element
    return link.tag == "a" and bool(_NOTE_LINK.match(link.get("href") or ""))


def _read_title(data: bytes) -> str:
    """Return the title among the properties of a Word file, unless it is one that a program writes by itself."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        if CORE_PROPERTIES not in package.namelist():
            return ""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        properties = etree.fromstring(package.read(CORE_PROPERTIES), parser)
    found = properties.findtext(_TITLE_PROPERTY) if properties is not None else ""
    title = " ".join(replace_unstorable(found or "").split())
    return "" if _AUTOMATIC_TITLE.fullmatch(title) or len(title.split()) > MAX_TITLE_WORDS else title


def read_rtf(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read rich text as one document, or as the articles of an export. Raises ReadError if it has no text."""
    from striprtf.striprtf import rtf_to_text

    content = load_bytes(file)
    if not content.lstrip().startswith(_RICH_TEXT):
        raise ReadError("rich text", "another kind of file", "Give it the extension of what it is, such as .txt.")
    plain: str = rtf_to_text(_prepare_rich_text(content), errors="replace")
    text = replace_unstorable(plain).replace("\r", "\n")
    # Each line is a paragraph.
    text = "\n\n".join(line.strip(" |") for line in text.split("\n") if line.strip(" |"))
    if not text:
        raise ReadError("rich text with words", "none", "Add text, or leave it out.")
    if len(text) > MAX_DOCUMENT_SIZE:
        raise ReadError(f"up to {MAX_DOCUMENT_SIZE // 1_000_000} million characters", "more", "Split the file.")
    yield from read_export(text, file, columns) or [apply_manifest(RawDocument(file.source_path, text=text), file)]


def _prepare_rich_text(content: bytes) -> str:
    """Return rich text in a form that striprtf reads fast, whatever it holds; its bytes beyond ASCII are codes."""
    # It writes the addresses of links into the text, by a slow pattern, unless the word for a field is another.
    text = content.decode("latin-1").replace("\\field", "\\nofield")
    # Its pattern for fonts is fast if each is on a line of its own and the last one ends.
    start = text.find("\\fonttbl")
    if start < 0:
        return text
    end = min(place for place in (text.find("}}", start), text.find("\\pard", start), len(text)) if place >= 0)
    return text[:start] + _FONT.sub(r"\n\g<0>", text[start:end]) + ";" + text[end:]


def read_doc(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a file with the extension of an old Word file if it is rich text or a new one, as databases write them."""
    with open_bytes(file.path) as raw:
        head = raw.read(_HEAD).lstrip()
    if head.startswith(_RICH_TEXT):
        yield from read_rtf(file, columns)
    elif head.startswith(b"PK"):
        yield from read_docx(file, columns)
    else:
        hint = "Open it in Word or LibreOffice, and save it as .docx."
        raise ReadError("a .docx file", "an old .doc file", hint)


def load_bytes(file: InputFile) -> bytes:
    """Read an office file as a whole; raises ReadError if it is empty or too large."""
    with open_bytes(file.path) as raw:
        data = raw.read(MAX_FILE_BYTES + 1)
    if not data:
        raise make_empty_error()
    if len(data) > MAX_FILE_BYTES:
        raise ReadError(f"a file of up to {MAX_FILE_BYTES // 1_000_000} MB", "a larger one", "Split it.")
    return data


def _convert_docx_to_html(data: bytes) -> str:
    import mammoth  # loaded only for the first such file

    if data.startswith(_ENCRYPTED_OFFICE):
        hint = "Save it as .docx without a password."
        raise ReadError("a .docx file", "an encrypted or old .doc file", hint)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        _check_parts(package)
    images = mammoth.images.img_element(lambda image: {"src": ""})
    return str(mammoth.convert_to_html(io.BytesIO(data), convert_image=images).value)


def _check_parts(package: zipfile.ZipFile) -> None:
    """Reject a package that is encrypted, or whose XML defines entities or is too large for a tree."""
    parts = package.infolist()
    if any(map(is_locked, parts)):
        raise ReadError("a .docx file without a password", "an encrypted one", "Save it without a password.")
    size = packed = tags = repeated = 0
    for part in parts:
        with package.open(part) as opened:
            # Pictures are skipped. Any other part may be declared as the one with the text.
            if not _MARKUP.match(opened.read(_HEAD)):
                continue
        size, packed = size + part.file_size, packed + part.compress_size
        if size > MAX_XML:
            raise ReadError(f"up to {MAX_XML // 1_000_000} MB of XML", "more", "Split the file.")
        # Without NUL bytes, UTF-16 looks like ASCII.
        content = package.read(part).replace(b"\0", b"")
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            hint = "Save it again with a word processor, or leave it out."
            raise ReadError("a .docx file", f"one whose part {part.filename!r} defines entities", hint)
        tags += content.count(b"<")
        repeated += sum(1 if match[1] else -1 for match in _NOTE.finditer(content))
    most = min(MAX_TAGS, max(FREE_TAGS, MAX_TAGS_PER_BYTE * packed))
    if tags > most:
        raise ReadError(f"up to {most:,} XML tags in a file of this size", f"{tags:,}", "Save it as .txt or split it.")
    if repeated > MAX_REPEATED_NOTES:
        hint = "Save it again with a word processor, or as .txt."
        raise ReadError("one reference to each note", f"{repeated:,} more references than notes", hint)
