"""What one paragraph's document says, and what decided that its paragraphs advance narratives."""

from __future__ import annotations

import pandas as pd

from narratives.store.queries import Snapshot


def document_of(snapshot: Snapshot, paragraph_id: str) -> pd.DataFrame:
    """The document that holds a paragraph of any kind: one row, or none where there is no such paragraph.

    Columns document_id, title, outlet, date, date_source, url, source_path, text_kind, paragraphs.
    """
    return snapshot.frame(
        """
        SELECT d.document_id, d.title, d.outlet, d.date, d.date_source, d.url, d.source_path, d.text_kind,
               d.paragraphs
        FROM snap.documents d JOIN snap.paragraphs p ON p.document_id = d.document_id
        WHERE p.paragraph_id = $paragraph AND d.status = 'read'
        """,
        {"paragraph": paragraph_id},
    )


def passages(snapshot: Snapshot, document_id: str) -> pd.DataFrame:
    """All paragraphs of one document in order, empty if there is none such.

    Columns paragraph_id, position, kind, speaker, speaker_method, quoted_person, voice, language, words,
    statement, duplicate_of, text.
    """
    return snapshot.frame(
        """
        SELECT paragraph_id, position, kind, speaker, speaker_method, quoted_person, voice, language, words,
               statement, duplicate_of, text
        FROM snap.paragraphs WHERE document_id = $document ORDER BY position
        """,
        {"document": document_id},
    )


def verdicts(snapshot: Snapshot, document_id: str) -> pd.DataFrame:
    """What was found for the paragraphs of one document, rejected or not, in their order, best first.

    Columns paragraph_id, narrative_id, narrative, origin, colour, rank (of the narrative in the codebook),
    score, threshold (NaN where the narrative has none of its own), status, sentence, exemplar.
    """
    return snapshot.frame(
        """
        SELECT a.paragraph_id, a.narrative_id, n.name AS narrative, a.origin, n.colour, n.position AS rank,
               a.score, n.threshold, a.status, a.sentence, a.exemplar
        FROM snap.assignments a
        JOIN snap.narratives n USING (narrative_id)
        JOIN snap.paragraphs p ON p.paragraph_id = a.paragraph_id
        WHERE p.document_id = $document
        ORDER BY p.position, a.status = 'rejected', a.score DESC, n.position
        """,
        {"document": document_id},
    )


def copies_of(snapshot: Snapshot, paragraph_id: str) -> pd.DataFrame:
    """The copies of a paragraph, oldest first. Columns paragraph_id, date, outlet, speaker."""
    return snapshot.frame(
        """
        SELECT paragraph_id, date, outlet, speaker FROM snap.paragraphs
        WHERE duplicate_of = $paragraph ORDER BY first_day NULLS LAST, last_day, paragraph_id
        """,
        {"paragraph": paragraph_id},
    )


def statement_texts(snapshot: Snapshot) -> pd.DataFrame:
    """Columns paragraph_id and text of all statement paragraphs, copies included, by id."""
    return snapshot.frame(
        "SELECT paragraph_id, text FROM snap.paragraphs WHERE statement ORDER BY paragraph_id"
    )
