"""Read records of debates in XML: of Public Whip and Open Australia, and in TEI as of ParlaMint."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from lxml import etree

from narratives.model import InputFile, RawDocument, RawParagraph, RawParagraphKind, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, open_bytes, read_within_limit
from narratives.read.rows import make_document, make_rejected, replace_unstorable

DEBATE_TAGS = ("publicwhip", "tei", "teicorpus")
_DAY_IN_ID = re.compile(r"(?<!\d)((?:1[89]|20)\d\d-[01]\d-[0-3]\d)(?!\d)")
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_BLOCKS = ("p", "li", "blockquote", "seg")


class Debate(NamedTuple):
    """One debate: its title, day, id, and paragraphs."""

    title: str
    date: str
    id: str
    paragraphs: list[RawParagraph]


def read_debates(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each debate, with the speakers that the record names; `row` starts at 1.

    Raises ReadError if the file has no speeches, and any error of lxml if it is damaged.
    """
    with open_bytes(file.path) as raw:
        data = read_within_limit(raw, MAX_DOCUMENT_SIZE)
    # Such records define the names of characters; external entities and those that grow are refused by libxml2.
    parser = etree.XMLParser(resolve_entities="internal", no_network=True, load_dtd=False, remove_comments=True)
    root = etree.parse(io.BytesIO(data), parser).getroot()
    tag = _get_name(root).lower()
    found = _read_public_whip(root) if tag == "publicwhip" else _read_tei(root)
    debates = [debate for debate in found if any(p.kind != "heading" for p in debate.paragraphs)]
    if not debates:
        raise ReadError("speeches", "none", "Save the record with its speeches, or as .csv with speaker and text.")
    for number, debate in enumerate(debates, 1):
        values = {"title": debate.title, "date": debate.date, "id": debate.id}
        try:
            yield make_document(values, file, number, columns, debate.paragraphs)
        except ReadError as error:
            yield make_rejected(file.source_path, number, error)


def _read_public_whip(root: etree._Element) -> Iterator[Debate]:
    """Read the speeches below each major heading. The ids of speeches contain the day."""
    debate = Debate("", "", "", [])
    for element in root.iter("major-heading", "minor-heading", "oral-heading", "speech"):
        name, key = _get_name(element), element.get("id", "")
        day = match[1] if (match := _DAY_IN_ID.search(key)) else ""
        if name == "major-heading":
            yield debate
            debate = Debate(_get_text(element), day, key, [])
            continue
        debate = debate._replace(date=debate.date or day, id=debate.id or key)
        if name == "speech":
            speaker = " ".join(element.get("speakername", "").split())
            debate.paragraphs.extend(_read_blocks(element, "" if element.get("nospeaker") else speaker))
        elif heading := _get_text(element):
            debate.paragraphs.append(RawParagraph(heading, kind="heading"))
    yield debate


def _read_tei(root: etree._Element) -> Iterator[Debate]:
    """Read the utterances (`u`) of each TEI text; the header has title, day, and the names behind the ids."""
    names = {
        person.get(_XML_ID, ""): name
        for person in root.iter("{*}person")
        if (name := _find_text(person, "{*}persName"))
    }
    for text in [root] if _get_name(root) == "TEI" else root.iterfind("{*}TEI"):
        dates = [
            date.get("when", "") for path in ("setting", "bibl") for date in text.iterfind(f".//{{*}}{path}/{{*}}date")
        ]
        paragraphs: list[RawParagraph] = []
        for speech in text.iter("{*}u"):
            key = speech.get("who", "").removeprefix("#")
            paragraphs += _read_blocks(speech, names.get(key) or _split_id(key))
        day = next((date[:10] for date in dates if date), "")
        yield Debate(_find_text(text, ".//{*}titleStmt/{*}title"), day, text.get(_XML_ID, ""), paragraphs)


def _read_blocks(speech: etree._Element, speaker: str) -> Iterator[RawParagraph]:
    blocks: Sequence[etree._Element] = [e for e in speech.iter(etree.Element) if _get_name(e) in _BLOCKS]
    # A block in another one, such as a paragraph in a list, is part of it.
    blocks = [block for block in blocks if not any(_get_name(a) in _BLOCKS for a in _iterate_above(block, speech))]
    for block in blocks or [speech]:
        if text := _get_text(block):
            kind: RawParagraphKind = "list-item" if _get_name(block) == "li" else ""
            yield RawParagraph(text, speaker, kind=kind, labelled=bool(speaker))


def _iterate_above(element: etree._Element, top: etree._Element) -> Iterator[etree._Element]:
    parent = element.getparent()
    while parent is not None and parent is not top:
        yield parent
        parent = parent.getparent()


def _get_name(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _get_text(element: etree._Element) -> str:
    return replace_unstorable(" ".join("".join(cast(Iterator[str], element.itertext())).split()))


def _find_text(element: etree._Element, path: str) -> str:
    first = element.find(path)
    return _get_text(first) if first is not None else ""


def _split_id(key: str) -> str:
    """Return an id such as `JonasHale` as a name."""
    return re.sub(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|_", " ", key).strip()
