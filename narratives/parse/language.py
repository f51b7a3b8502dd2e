"""The language of a text, as ISO 639-1, by py3langid (Lui and Baldwin 2012, langid.py)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from narratives.parse.settings import (
    LANGUAGE_NAMES,
    LANGUAGE_SAMPLE,
    LANGUAGES,
    MIN_LANGUAGE_CONFIDENCE,
    MIN_LANGUAGE_WORDS,
    NON_LATIN,
    count_words,
)

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier


def document_language(text: str, stated: str = "") -> str:
    """The stated language as a two-letter code if it is one, else what the text's opening reads as, or ""."""
    code = stated.strip().casefold()
    code = LANGUAGE_NAMES.get(code, code.replace("_", "-").split("-")[0])
    if code in LANGUAGES:
        return code
    return _identify(text[:LANGUAGE_SAMPLE])[0]


def paragraph_language(text: str, of_document: str) -> str:
    """The paragraph's own language; short or unsure texts have their document's unless the script differs."""
    language, confidence = _identify(text)
    sure = count_words(text) >= MIN_LANGUAGE_WORDS and confidence >= MIN_LANGUAGE_CONFIDENCE
    if not language or not of_document:
        return language or of_document
    return language if sure or _latin(text) != _latin_language(of_document) else of_document


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # An identifier of our own: the package's shared one could be restricted by anyone.
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(LANGUAGES))
    return identifier


def _identify(text: str) -> tuple[str, float]:
    if not any(c.isalpha() for c in text):
        return "", 0.0
    language, confidence = _identifier().classify(text)
    return str(language), float(confidence)


def _latin(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(c < "\u0250" for c in letters) >= len(letters)


def _latin_language(code: str) -> bool:
    return code not in NON_LATIN
