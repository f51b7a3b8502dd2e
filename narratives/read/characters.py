"""Remove or replace the characters that nobody sees, and write each letter in one way."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from narratives.model import RawDocument, ReadError, Rejected
from narratives.read.rows import make_rejected

# Soft hyphens (with the line break at which they divide a word), zero-width spaces and joiners, word joiners, byte
# order marks, directions of writing, tags.
_INVISIBLE = re.compile(
    "\xad(?:[ \t]{0,20}(?:\r\n?|\n)[ \t]{0,20}(?=\\w))?"
    "|[\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\U000e0000-\U000e007f]+"
)
# What has a meaning after these characters. In Arabic, Indic and other scripts, joiners change how a word is written;
# they also join emoji. In scripts without spaces, a zero-width space ends a word. Tags make a black flag another one.
_JOINED = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1a20-\u1aaf\u1b00-\u1b7f\ua8e0-\uaadf\ufb50-\ufdff"
_KEPT_AFTER = {
    "\u200b": re.compile("[\u0e00-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9df]"),
    "\u200c": re.compile(f"[{_JOINED}]"),
    "\u200d": re.compile(f"[{_JOINED}\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]"),
}
_TAGGED = "\U0001f3f4"
_SPACE = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Latin, Armenian and Arabic ligatures and forms that only fonts need. Words such as \ufdfa stay as they are.
_LIGATURE = re.compile("[\ufb00-\ufb06\ufb13-\ufb17\ufb50-\ufdcf\ufe70-\ufefc]")


def clean_characters(text: str) -> str:
    """Return the text without invisible characters, with plain spaces and without ligatures, in the form NFC.

    Joiners and zero-width spaces stay in the scripts and emoji in which they have a meaning.
    """
    if text.isascii():
        return text
    text = _INVISIBLE.sub(_keep_meaningful, text)
    text = _SPACE.sub(" ", text)
    text = _LIGATURE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return unicodedata.normalize("NFC", text)


def _keep_meaningful(match: re.Match[str]) -> str:
    before = match.string[match.start() - 1 : match.start()]
    is_tag = match[0] >= "\U000e0000"
    kept = before == _TAGGED if is_tag else (after := _KEPT_AFTER.get(match[0])) is not None and after.match(before)
    return match[0] if kept else ""


def clean_item(item: RawDocument | Rejected) -> RawDocument | Rejected:
    """Return a document with clean characters in all that is read; its id and addresses stay as they are.

    A text of which nothing is left is rejected. What is rejected already stays as it is.
    """
    if isinstance(item, Rejected):
        return item
    text = clean_characters(item.text)
    if item.text.strip() and not text.strip():
        hint = "Write a text, or remove the row."
        return make_rejected(item.source_path, item.row, ReadError("a text", "characters that nobody sees", hint))
    return replace(
        item,
        text=text,
        paragraphs=tuple(
            replace(p, text=clean_characters(p.text), speaker=clean_characters(p.speaker)) for p in item.paragraphs
        ),
        outlet=clean_characters(item.outlet),
        title=clean_characters(item.title),
        date=clean_characters(item.date),
        speaker=clean_characters(item.speaker),
        lead=clean_characters(item.lead),
    )
