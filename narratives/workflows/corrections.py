"""Corrections that people made in the decisions log: dates, outlets and speakers, as a build applies them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

from narratives.model import Document, Edit, EditKind, Paragraph, Voice, compute_text_key
from narratives.model.dates import is_partial_date
from narratives.store import DecisionLog

SOURCE = "corrected by a person"
_PRECISIONS: Mapping[int, Any] = {0: "none", 4: "year", 7: "month", 10: "day"}
_KINDS: tuple[EditKind, ...] = ("document", "speaker", "person")


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections that apply, by document, by document and text key, and by name. See `model.Edit`.

    `digest` is a hash of them, empty if there are none. `refused` are the edits that no build can apply, with reasons.
    """

    documents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    speakers: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    refused: tuple[str, ...] = ()

    def apply(self, document: Document) -> Document:
        """Return the document with its corrections. The order in which they were made does not matter."""
        fields = self.documents.get(document.document_id, {})
        own = self.speakers.get(document.document_id, {})
        if fields:
            day = fields.get("date", document.date)
            dated = {"date_precision": _PRECISIONS[len(day)], "date_source": SOURCE} if "date" in fields else {}
            document = replace(document, date=day, outlet=fields.get("outlet", document.outlet), **dated)
        if own or self.people:
            paragraphs = tuple(self._correct_speaker(paragraph, own) for paragraph in document.paragraphs)
            document = replace(document, paragraphs=paragraphs)
        return document

    def _correct_speaker(self, paragraph: Paragraph, own: Mapping[str, Mapping[str, str]]) -> Paragraph:
        fields = own.get(compute_text_key(paragraph.text), {}) if own else {}
        speaker = fields.get("speaker", paragraph.speaker)
        return replace(
            paragraph,
            speaker=self.people.get(speaker, speaker),
            quoted_person=self.people.get(paragraph.quoted_person, paragraph.quoted_person),
            voice=cast(Voice, fields.get("voice", paragraph.voice)),
            speaker_method=SOURCE if fields else paragraph.speaker_method,
        )


def load_corrections(log: DecisionLog) -> Corrections:
    """Load the corrections that apply; the same log gives the same corrections. Raises the errors of the log."""
    documents: dict[str, dict[str, str]] = {}
    speakers: dict[str, dict[str, dict[str, str]]] = {}
    people: dict[str, str] = {}
    refused = []
    for kind in _KINDS:
        for subject, edit in log.current_edits(kind).items():
            fields = parse_correction(edit)
            if fields is None:
                refused.append(f"Correction {edit.edit_id} of {kind} {subject} cannot be applied: {edit.value[:80]}")
            elif kind == "document":
                documents[subject] = fields
            elif kind == "speaker":
                document, _, key = subject.rpartition("/")
                speakers.setdefault(document, {})[key] = fields
            else:
                people[subject] = fields["name"]
    people = {name: _follow(name, people) for name in people}
    terms = json.dumps([documents, speakers, people], sort_keys=True)
    digest = hashlib.sha256(terms.encode()).hexdigest() if documents or speakers or people else ""
    return Corrections(documents, speakers, people, digest, tuple(refused))


def parse_correction(edit: Edit) -> dict[str, str] | None:
    """Return the fields of a correction, None if it is not one that a build can apply. Pure."""
    allowed = {"document": {"date", "outlet"}, "speaker": {"speaker", "voice"}, "person": {"name"}}[edit.kind]
    try:
        fields = json.loads(edit.value)
    except ValueError:
        return None
    if not isinstance(fields, dict) or not fields or not set(fields) <= allowed:
        return None
    if not all(isinstance(value, str) for value in fields.values()):
        return None
    if fields.get("date") and not is_partial_date(fields["date"]):
        return None
    if fields.get("voice", "own") not in get_args(Voice) or not fields.get("name", "?"):
        return None
    return {name: " ".join(value.split()) for name, value in fields.items()}


def _follow(name: str, people: Mapping[str, str]) -> str:
    """Return the name at the end of a chain of merged names; in a circle, the first in alphabetical order."""
    seen = [name]
    while (following := people.get(seen[-1], seen[-1])) not in seen:
        seen.append(following)
    return seen[-1] if following == seen[-1] else min(seen[seen.index(following) :])
