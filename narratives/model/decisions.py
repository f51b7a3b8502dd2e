"""What people decided: which paragraph advances which narrative."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["accepted", "rejected", "undecided"]


def text_key(text: str) -> str:
    """What a decision knows its paragraph by: a hash (32 hex digits) of the text, white space aside."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    # Some sources hold lone surrogates, which UTF-8 has no bytes for.
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A paragraph with what people (or other annotators) say of it: narrative id to verdict.

    `document` groups paragraphs of one source, so that none is tested on what its neighbours taught; it is
    never empty (a text of unknown source is a document of its own). `row` is its 1-based line.
    """

    row: int
    text: str
    document: str
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the decisions log. `decision_id` counts up; of two on the same pair the later one holds.

    `decided_at` is ISO 8601 UTC; `text_key` is that of `text`, the paragraph as it stood.
    """

    decision_id: int
    decided_at: str
    who: str
    why: str
    text_key: str
    text: str
    document: str
    narrative_id: str
    verdict: Verdict
