"""Turn a raw document into a document: outlet, language, date, id and attributed paragraphs."""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache
from importlib import metadata, resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from narratives.model import MIN_STATEMENT_WORDS, Document, Paragraph, RawDocument
from narratives.parse.attribution import attribute_blocks
from narratives.parse.attribution.labels import match_label
from narratives.parse.attribution.roster import Roster
from narratives.parse.attribution.turns import find_turn_starts
from narratives.parse.date_lines import find_dateline
from narratives.parse.date_strings import collect_future_days
from narratives.parse.dates import DateClues, DateOrder, find_date
from narratives.parse.segmentation import Segmentation, count_words, list_lines, segment_document

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

OUTLET_HOSTS = {
    "kremlin.ru": "Kremlin",
    "rt.com": "RT",
    "tass.com": "TASS",
    "tass.ru": "TASS",
    "mid.ru": "Ministry of Foreign Affairs of Russia",
    "whitehouse.gov": "White House",
    "state.gov": "U.S. Department of State",
}
# The names that sites give themselves, and the names used here.
OUTLET_ALIASES = {
    "rt international": "RT",
    "rt en": "RT",
    "russia today": "RT",
    "tass russian news agency": "TASS",
    "president of russia": "Kremlin",
    "the ministry of foreign affairs of the russian federation": "Ministry of Foreign Affairs of Russia",
    "ministry of foreign affairs of the russian federation": "Ministry of Foreign Affairs of Russia",
    "the ministry of foreign affairs of russia": "Ministry of Foreign Affairs of Russia",
    "united states department of state": "U.S. Department of State",
    "state.gov": "U.S. Department of State",
}
AGENCIES = {"tass": "TASS", "reuters": "Reuters", "ap": "AP", "afp": "AFP", "interfax": "Interfax"}
SPOKEN_TO_RT = re.compile(r"\b(?:to|tells?|told|with) RT\b")
MINISTRY_BRIEFING = re.compile(r"^Briefing by (?:the )?(?:Russian )?(?:Deputy )?Foreign Ministry Spokes\w+")


def find_outlet(url: str, title: str, openings: Sequence[str], rt_layout: bool) -> str:
    """Return the outlet by host, agency dateline, RT's page layout, or the ministry's briefing title; else "".

    `openings` are the first paragraphs; `rt_layout` says whether the page has RT's list of icons.
    """
    try:
        host = (urlsplit(url).hostname or "").casefold()
    except ValueError:  # not a valid address, such as an unclosed [ of IPv6
        host = ""
    for known, outlet in OUTLET_HOSTS.items():
        if f".{host}".endswith(f".{known}"):
            return outlet
    for text in openings:
        line = find_dateline(text)
        if line and (agency := AGENCIES.get(line.agency.casefold())):
            return agency
    if rt_layout and any(SPOKEN_TO_RT.search(text) for text in (title, *openings)):
        return "RT"
    if MINISTRY_BRIEFING.match(title):
        return OUTLET_HOSTS["mid.ru"]
    return ""


_LATIN_CODES = "en de fr es it pt nl pl cs sk sl hr ro hu tr az uz vi id ms sv no da fi et lv lt sq"
_OTHER_CODES = "ru uk be bg sr mk el hy ka kk ky tg fa ar he hi ur bn zh ja ko th"
NON_LATIN_LANGUAGES = frozenset(_OTHER_CODES.split())
LANGUAGE_CODES = NON_LATIN_LANGUAGES.union(_LATIN_CODES.split())
MIN_LANGUAGE_WORDS = 8
MIN_LANGUAGE_CONFIDENCE = 0.5
MAX_LANGUAGE_SAMPLE = 4000  # characters that decide the language of a document
MAX_PARAGRAPH_SAMPLE = 400  # characters that decide the language of a paragraph; more take long and change nothing
LANGUAGE_NAMES = {"english": "en", "russian": "ru", "german": "de", "french": "fr", "spanish": "es"}


def detect_document_language(text: str, stated: str = "") -> str:
    """Return the stated language as a two-letter code, else the language of the beginning of the text, or ""."""
    code = stated.strip().casefold()
    code = LANGUAGE_NAMES.get(code, code.replace("_", "-").split("-")[0])
    if code in LANGUAGE_CODES:
        return code
    return _identify_language(text[:MAX_LANGUAGE_SAMPLE])[0]


def detect_paragraph_language(text: str, document_language: str) -> str:
    """Return the language of a paragraph; for short or uncertain texts that of the document, if the script fits."""
    sample = text[:MAX_PARAGRAPH_SAMPLE]
    language, confidence = _identify_language(sample)
    if not language or not document_language:
        return language or document_language
    if confidence >= MIN_LANGUAGE_CONFIDENCE and count_words(sample) >= MIN_LANGUAGE_WORDS:
        return language
    is_other_script = _is_latin(sample) == (document_language in NON_LATIN_LANGUAGES)
    return language if is_other_script else document_language


@lru_cache(maxsize=1)
def _load_identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # Not the package's shared identifier, because other code can restrict its languages.
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(LANGUAGE_CODES))
    return identifier


def _identify_language(text: str) -> tuple[str, float]:
    if not any(c.isalpha() for c in text):
        return "", 0.0
    language, confidence = _load_identifier().classify(text)
    return str(language), float(confidence)


def _is_latin(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(c < "\u0250" for c in letters) >= len(letters)


# Part of every build's fingerprint: increase it when the same raw documents parse differently.
PARSER_VERSION = 4
PARSING_PACKAGES = ("narratives.model", "narratives.parse", "narratives.parse.attribution")
PARSING_LIBRARIES = ("dateparser", "numpy", "py3langid")
UNKNOWN_ORDER = DateOrder()
MAX_TITLE_SEARCH = 1000  # characters of a text whose first line may be its title
SENTENCE = re.compile(r"\w[^.!?]*")
BARE_NUMBER = re.compile(r"[#№+-]?\d+(?:[.,]\d+)*")
# A sentence of thanks, greeting or good wishes. A paragraph with nothing else makes no statement.
COURTESY = re.compile(
    r"(?:(?:once again|friends|colleagues),? )?(?:thank you|thanks)\b.{0,60}"
    r"|good (?:morning|afternoon|evening|day)\b.{0,60}"
    r"|(?:all the best|good luck|goodbye|good health|congratulations|welcome)\b.{0,40}",
    re.IGNORECASE,
)
MAX_COURTESY_WORDS = 25
MIN_ID = 5  # characters from which an id counts as unique in all tables
MAX_OPENING_PARAGRAPHS = 4  # body paragraphs that may contain a dateline or show the outlet


def parse_document(raw: RawDocument, roster: Roster, order: DateOrder = UNKNOWN_ORDER) -> Document:
    """Parse a raw document; the same input gives the same result, and no text raises an error.

    Boilerplate is removed and counted. Every other block becomes a paragraph; the title, if there is one, has
    position 0. Texts keep their turn labels; only white space and control characters are cleaned. `order` is
    what is known of the dates in the table or folder of the document (`add_to_date_order`).
    """
    lines = list_lines(raw)
    layout = segment_document(raw, find_turn_starts(raw, lines, roster))
    openings = [block.text for block in layout.blocks if block.kind == "body"][:MAX_OPENING_PARAGRAPHS]
    dated = find_date(_collect_date_clues(raw, layout, openings, order))
    above = [block.text for block in layout.blocks[1 : 1 + MAX_OPENING_PARAGRAPHS] if block.kind in ("heading", "lead")]
    outlet = raw.outlet.strip() or find_outlet(raw.url, layout.title, [*above, *openings], layout.rt)
    outlet = outlet or raw.listed_outlet.strip()
    outlet = OUTLET_ALIASES.get(outlet.casefold(), outlet)
    document_id = compute_document_id(raw)
    sample = " ".join(openings or [block.text for block in layout.blocks])[:MAX_LANGUAGE_SAMPLE]
    language = detect_document_language(sample, raw.language)
    attributed = attribute_blocks(
        layout.blocks,
        layout.title,
        roster,
        on=dated.date,
        outlet=outlet,
        stated=raw.speaker.strip(),
        stated_in="manifest" if "speaker" in raw.from_manifest else "metadata",
    )
    paragraphs = tuple(
        Paragraph(
            paragraph_id=f"{document_id}-{position:04d}",
            document_id=document_id,
            position=position,
            kind=kind,
            text=block.text,
            speaker=by.speaker,
            speaker_method=by.method,
            quoted_person=by.quoted_person,
            voice=by.voice,
            language=detect_paragraph_language(block.text, language),
            source_ref=block.source_ref,
            words=count_words(block.text),
        )
        for position, (block, (kind, by)) in enumerate(zip(layout.blocks, attributed, strict=True))
    )
    return Document(
        document_id=document_id,
        source_path=raw.source_path,
        row=raw.row,
        url=raw.url.strip(),
        outlet=outlet,
        title=layout.title,
        date=dated.date,
        date_precision=dated.precision,
        date_source=dated.source,
        language=language,
        text_kind=raw.text_kind,
        source_ref=raw.source_ref,
        paragraphs=paragraphs,
        boilerplate=layout.boilerplate,
    )


def parse_lasting(raw: RawDocument, roster: Roster, order: DateOrder = UNKNOWN_ORDER) -> tuple[Document, date | None]:
    """Parse a raw document; also return the day from which the same document may be parsed differently, or None.

    There is such a day if a date of the document is compared with the clock and is in the future until then.
    """
    with collect_future_days() as days:
        document = parse_document(raw, roster, order)
    return document, min(days, default=None)


@cache
def hash_rules() -> str:
    """Hash what decides how raw documents are parsed, other than themselves, the roster and the order of dates.

    That is the code and the word lists of this layer, the records, and the versions of the libraries.
    """
    digest = hashlib.sha256()
    for package in PARSING_PACKAGES:
        files = sorted((file.name, file.read_bytes()) for file in resources.files(package).iterdir() if file.is_file())
        digest.update(repr(files).encode())
    versions = [metadata.version(name) for name in PARSING_LIBRARIES]
    digest.update(repr([PARSER_VERSION, sys.version_info[:2], unicodedata.unidata_version, versions]).encode())
    return digest.hexdigest()


def add_to_date_order(order: DateOrder, raw: RawDocument) -> DateOrder:
    """Return the order of day and month that is known with a further document of a table or folder."""
    title = raw.title or next(filter(str.strip, raw.text[:MAX_TITLE_SEARCH].splitlines()), "")
    is_stated = "date" in raw.from_manifest or not raw.date_source
    return order.add(raw.date if is_stated else "", title)


def _collect_date_clues(raw: RawDocument, layout: Segmentation, openings: Sequence[str], order: DateOrder) -> DateClues:
    is_manifest, is_posted = "date" in raw.from_manifest, raw.date_source == "posted"
    # Stores of earlier versions have dates that were found anywhere on a page.
    stated = raw.date if is_manifest or raw.date_source != "guess" else ""
    return DateClues(
        stated="" if is_posted and not is_manifest else stated,
        stated_in="manifest" if is_manifest else "metadata",
        posted=stated if is_posted and not is_manifest else "",
        is_page=is_posted,
        title=layout.title,
        header=(*raw.date_lines, *layout.header),
        closing=layout.closing,
        openings=openings,
        chronicle=layout.chronicle,
        url=raw.url,
        listed=raw.listed_date,
        name=raw.name_date,
        order=order,
    )


def compute_document_id(raw: RawDocument) -> str:
    """Return 16 hex digits of a hash of the id, else of the url, else of outlet, date, title and text.

    An id that is a plain number or shorter than `MIN_ID` may be just a row number. It is then used together
    with the url or text, to separate documents in which these are the same.
    """
    given = " ".join(raw.id.split())
    weak = [given] if given else []
    if len(given) >= MIN_ID and not BARE_NUMBER.fullmatch(given):
        parts = ["id", given]
    elif raw.url.strip():
        parts = ["url", raw.url, *weak]
    else:
        text = raw.text or "\n".join(p.text for p in raw.paragraphs)
        parts = ["text", raw.outlet, raw.date, raw.title, text, *weak]
    # White space is normalised, so that line endings and indentation do not change the id.
    joined = "\x1f".join(" ".join(part.split()) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_statement(paragraph: Paragraph, languages: frozenset[str]) -> bool:
    """Return whether a paragraph counts in denominators.

    It must be body text or a lead, not a question, in one of the languages, long enough, and more than a greeting.
    """
    return (
        paragraph.kind in ("lead", "body")
        and paragraph.voice != "question"
        and paragraph.words >= MIN_STATEMENT_WORDS
        and paragraph.language in languages
        and not _is_courtesy(paragraph)
    )


def _is_courtesy(paragraph: Paragraph) -> bool:
    if paragraph.words > MAX_COURTESY_WORDS:
        return False
    label = match_label(paragraph.text)
    text = paragraph.text[label.size if label else 0 :]
    return all(COURTESY.fullmatch(sentence) for sentence in SENTENCE.findall(text))
