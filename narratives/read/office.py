"""Read PDF files with pypdf, Word files with mammoth, and rich text with striprtf."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from narratives.model import InputFile, RawDocument, RawParagraph, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, make_empty_error, open_bytes
from narratives.read.exports import read_export
from narratives.read.html.page import is_bold, iterate_blocks, join_runs, parse_page, split_label
from narratives.read.rows import apply_manifest, replace_unstorable

MAX_FILE_BYTES = 200_000_000
MAX_PAGES = 5000
MAX_XML = 50_000_000  # bytes of all XML parts of a Word file; a long book has ten million
MAX_TAGS = 1_000_000  # in that XML; each takes a kilobyte of memory and a tenth of a millisecond
EDGE_LINES = 3  # at the top and bottom of a page that may be running titles
MIN_RUNNING_TITLE_SHARE = 0.5  # share of pages on which a line must occur to be a running title
MIN_RUNNING_TITLE_PAGES = 3
MIN_FULL_LINE_SHARE = 0.8  # share of the usual line length; a sentence that ends in a shorter line ends its paragraph
MAX_TITLE_WORDS = 40

_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"(?:page\s+|стр\.?\s+|[-–—]\s*)?\d{1,4}(?:\s*(?:/|of|из)\s*\d{1,4})?(?:\s*[-–—])?", re.I)
_LINE_END_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]$")
_SENTENCE_END = re.compile(r"[.!?…:;][\"”“’'»)\]]*$")
_HEAD = 4096
_MARKUP = re.compile(rb"[\xef\xbb\xbf\xfe\xff\s\0]*(?:<|\Z)")
_LOCKED = 0x1  # the bit of a zip member that needs a password
_FONT = re.compile(r"\\f\d")
_RICH_TEXT = b"{\\rtf"
_ENCRYPTED_OFFICE = b"\xd0\xcf\x11\xe0"


def read_pdf(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a PDF as one document, or as the articles of an export: paragraphs across pages, without running titles.

    Raises ReadError if it is encrypted or has no text, and any error of pypdf if it is
    damaged.
    """
    lines = [_split_lines(text) for text in _extract_pdf_pages(_load_bytes(file))]
    # Before running titles are dropped, because the lines that end the articles of an export recur too.
    whole = replace_unstorable("\n\n".join(line for page in lines for line in page if line))
    if articles := read_export(whole, file, columns, lambda part: "\n\n".join(_join_paragraphs([part]))):
        yield from articles
        return
    pages = _drop_running_titles(lines)
    text = replace_unstorable("\n\n".join(_join_paragraphs(pages)))
    if not text.strip():
        hint = "Run text recognition (OCR) on it, or leave it out."
        raise ReadError("a PDF with text", "none (scanned pages?)", hint)
    yield apply_manifest(RawDocument(file.source_path, text=text), file)


def read_docx(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a Word file as one document, or as the articles of an export.

    The title is the first heading, or a short first line. Raises ReadError if it is encrypted or has no text, and
    any error of mammoth if it is damaged.
    """
    content = _convert_docx_to_html(_load_bytes(file))
    blocks = list(iterate_blocks(parse_page(f"<html><body>{content}</body></html>".encode())))
    texts = [replace_unstorable(join_runs(block.runs)) for block in blocks]
    if not texts:
        raise ReadError("a document with text", "none", "Add text, or leave it out.")
    if articles := read_export("\n\n".join(texts), file, columns):
        yield from articles
        return
    first = texts[0]
    is_set_off = blocks[0].kind == "heading" or is_bold(blocks[0].runs) or not _SENTENCE_END.search(first)
    has_title = len(texts) > 1 and is_set_off and len(first.split()) <= MAX_TITLE_WORDS and blocks[0].kind != "quote"
    paragraphs = tuple(
        RawParagraph(text, kind=block.kind, labelled=bool(split_label(block.runs).label))
        for block, text in zip(blocks, texts, strict=True)
    )
    document = RawDocument(file.source_path, paragraphs=paragraphs[has_title:], title=first if has_title else "")
    yield apply_manifest(document, file)


def read_rtf(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read rich text as one document, or as the articles of an export. Raises ReadError if it has no text."""
    from striprtf.striprtf import rtf_to_text

    content = _load_bytes(file)
    if not content.lstrip().startswith(_RICH_TEXT):
        raise ReadError("rich text", "another kind of file", "Give it the extension of what it is, such as .txt.")
    text = replace_unstorable(rtf_to_text(_prepare_rich_text(content), errors="replace")).replace("\r", "\n")
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


def _load_bytes(file: InputFile) -> bytes:
    with open_bytes(file.path) as raw:
        data = raw.read(MAX_FILE_BYTES + 1)
    if not data:
        raise make_empty_error()
    if len(data) > MAX_FILE_BYTES:
        raise ReadError(f"a file of up to {MAX_FILE_BYTES // 1_000_000} MB", "a larger one", "Split it.")
    return data


def _extract_pdf_pages(data: bytes) -> list[str]:
    from pypdf import PdfReader  # like mammoth below, loaded only for the first such file

    # pypdf logs a line for everything it skips, thousands for one damaged file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(data))
    # Many files are only protected against changes and open with an empty password.
    if reader.is_encrypted and not reader.decrypt(""):
        raise ReadError("a PDF without a password", "an encrypted one", "Save it without a password.")
    if len(reader.pages) > MAX_PAGES:
        raise ReadError(f"up to {MAX_PAGES} pages", f"{len(reader.pages)}", "Split the file.")
    pages, length = [], 0
    for page in reader.pages:
        pages.append(page.extract_text() or "")
        length += len(pages[-1])
        if length > MAX_DOCUMENT_SIZE:
            expected = f"a PDF of up to {MAX_DOCUMENT_SIZE // 1_000_000} million characters"
            raise ReadError(expected, "a longer one", "Split the file.")
    return pages


def _convert_docx_to_html(data: bytes) -> str:
    import mammoth

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
    if any(part.flag_bits & _LOCKED for part in parts):
        raise ReadError("a .docx file without a password", "an encrypted one", "Save it without a password.")
    size = tags = 0
    for part in parts:
        with package.open(part) as opened:
            # Pictures are skipped. Any other part may be declared as the one with the text.
            if not _MARKUP.match(opened.read(_HEAD)):
                continue
        size += part.file_size
        if size > MAX_XML:
            raise ReadError(f"up to {MAX_XML // 1_000_000} MB of XML", "more", "Split the file.")
        # Without NUL bytes, UTF-16 looks like ASCII.
        content = package.read(part).replace(b"\0", b"")
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            hint = "Save it again with a word processor, or leave it out."
            raise ReadError("a .docx file", f"one whose part {part.filename!r} defines entities", hint)
        tags += content.count(b"<")
        if tags > MAX_TAGS:
            raise ReadError(f"up to {MAX_TAGS / 1_000_000:g} million XML tags", "more", "Split the file.")


def _split_lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def _drop_running_titles(pages: Sequence[list[str]]) -> list[list[str]]:
    """Remove page numbers, and lines that repeat at the top or bottom of pages."""
    edges = [_find_edge_lines(page) for page in pages]
    pages_with = Counter(line for page in edges for line in set(page.values()))
    least = max(MIN_RUNNING_TITLE_PAGES, MIN_RUNNING_TITLE_SHARE * len(pages))

    def is_kept(line: str, key: str | None) -> bool:
        return key is None or (pages_with[key] < least and not _PAGE_NUMBER.fullmatch(line))

    return [
        [line for i, line in enumerate(page) if is_kept(line, edge.get(i))]
        for page, edge in zip(pages, edges, strict=True)
    ]


def _find_edge_lines(page: Sequence[str]) -> dict[int, str]:
    """Return the first and last lines of a page by their place, with digits replaced, for comparison."""
    filled = [i for i, line in enumerate(page) if line]
    return {i: _DIGITS.sub("#", page[i]) for i in (*filled[:EDGE_LINES], *filled[-EDGE_LINES:])}


def _join_paragraphs(pages: Sequence[Sequence[str]]) -> Iterator[str]:
    """Join lines to paragraphs. One ends at an empty line, or at a sentence end in a line that is not full."""
    lengths = sorted(len(line) for page in pages for line in page if line)
    full = lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0
    paragraph = ""
    for page in pages:
        for line in [*page, None]:
            if line is None:
                # A sentence that a page break splits continues on the next page.
                ends = bool(_SENTENCE_END.search(paragraph))
            elif line:
                paragraph = _append_line(paragraph, line)
                short = len(line) < MIN_FULL_LINE_SHARE * full
                ends = short and (bool(_SENTENCE_END.search(line)) or (line[:1].isupper() and paragraph == line))
            else:
                ends = True
            if ends and paragraph:
                yield paragraph
                paragraph = ""
    if paragraph:
        yield paragraph


def _append_line(paragraph: str, line: str) -> str:
    if not paragraph:
        return line
    if _LINE_END_HYPHEN.search(paragraph) and line[:1].islower():
        return paragraph[:-1] + line
    return f"{paragraph} {line}"
