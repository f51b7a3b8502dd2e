"""From a build's content to the rows of schema.sql, in an order that the input's order cannot change."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping

from narratives.model import Cluster, Document, StoreError
from narratives.store.dates import periods, span
from narratives.store.records import SnapshotContent

Row = tuple[object, ...]
MAP = "map"


def tables(content: SnapshotContent) -> dict[str, list[Row]]:
    """The rows of every table of schema.sql but `meta`, each sorted.

    Raises StoreError where ids repeat, an assignment or copy points nowhere, or a date is malformed.
    """
    _check(content)
    paragraphs: list[Row] = []
    for document in content.documents:
        paragraphs += _paragraph_rows(document, content)
    return {
        "documents": sorted([*map(_document_row, content.documents), *_rejected_rows(content)]),
        "paragraphs": sorted(paragraphs, key=lambda row: str(row[0])),
        "narratives": _narrative_rows(content),
        "assignments": sorted(
            (
                a.paragraph_id,
                a.narrative_id,
                a.origin,
                _rounded(a.score),
                a.status,
                a.exemplar,
                a.sentence,
            )
            for a in content.assignments
        ),
        "clusters": sorted(map(_cluster_row, content.clusters)),
        "cluster_members": sorted(_member_rows(content.clusters), key=lambda row: (row[0], row[1])),
        "lineage": sorted(
            (c.kind, c.subject, c.name, c.origin, list(c.related), [*map(_rounded, c.shares)], c.note)
            for c in content.lineage
        ),
        "events": sorted((e.date.isoformat(), e.name, e.source, list(e.narratives)) for e in content.events),
        "speakers": _speaker_rows(content),
        MAP: sorted((key, float(x), float(y)) for key, (x, y) in content.layout.items()),
    }


def snapshot_id(rows: Mapping[str, list[Row]], extra: Iterable[str]) -> str:
    """12 hex digits from the sha256 over all rows and the `extra` texts: the same content, the same id.

    The first is a letter, as the id fills a column of every export: programs that guess at types read
    192855e45393 as a number beyond all bounds. The map plays no part: it is a picture of the content, and
    another machine may draw another one.
    """
    digest = hashlib.sha256("\n".join(extra).encode())
    for table in sorted(rows.keys() - {MAP}):
        digest.update(f"\n{table}\n".encode())
        for row in rows[table]:
            digest.update(json.dumps(row).encode())
    found = digest.digest()
    return "abcdef"[found[0] % 6] + found.hex()[1:12]


def candidates(clusters: Iterable[Cluster]) -> list[Cluster]:
    """The clusters offered as discovered narratives: recurring, not routine, explained by no narrative."""
    return sorted((c for c in clusters if c.is_candidate), key=lambda c: c.cluster_id)


def _check(content: SnapshotContent) -> None:
    todo = "This is a fault of the build, not of the input: please report it with this message."
    documents = [d.document_id for d in content.documents]
    paragraphs = [p.paragraph_id for d in content.documents for p in d.paragraphs]
    narratives = [n.id for n in content.narratives.narratives]
    narratives += [c.cluster_id for c in candidates(content.clusters)]
    pairs = [(a.paragraph_id, a.narrative_id) for a in content.assignments]
    for what, ids in (("document", documents), ("paragraph", paragraphs), ("narrative", narratives)):
        repeated = [key for key, n in Counter(ids).items() if n > 1]
        if repeated:
            raise StoreError(
                f"every {what} id once", f"{len(repeated)} repeated, such as {repeated[0]}", todo
            )
    if len(set(pairs)) < len(pairs):
        raise StoreError(
            "one assignment per paragraph and narrative", f"{len(pairs) - len(set(pairs))} repeated", todo
        )
    known = set(paragraphs)
    lost = {a.paragraph_id for a in content.assignments} | set(content.copies) | set(content.copies.values())
    lost |= set(content.statements) | {m for c in content.clusters for m in c.members}
    lost |= set(content.layout)
    lost |= {a.narrative_id for a in content.assignments} - set(narratives)
    lost -= known
    if lost:
        raise StoreError(
            "only ids of given paragraphs and narratives", f"{len(lost)} unknown: {min(lost)}", todo
        )


def _rounded(score: float) -> float:
    """A score as it is kept and compared: the last digits of a float32 differ between machines."""
    return round(float(score), 3)


def _document_row(d: Document) -> Row:
    return (
        d.document_id, d.source_path, d.row, d.url, d.outlet, d.title, d.date, d.date_precision,
        d.date_source, d.language, d.text_kind, d.source_ref, d.boilerplate, len(d.paragraphs), "read", "",
    )  # fmt: skip


def _rejected_rows(content: SnapshotContent) -> list[Row]:
    return [
        ("", r.source_path, r.row, "", "", "", "", "none", "", "", "", "", 0, 0, "rejected", r.reason)
        for r in content.rejected
    ]


def _paragraph_rows(d: Document, content: SnapshotContent) -> list[Row]:
    try:
        first, last = (day.isoformat() for day in span(d.date)) if d.date else (None, None)
        labels = periods(d.date)
    except ValueError as error:
        raise StoreError(
            f"a partial date in document {d.document_id}", str(error), "Correct its date."
        ) from error
    return [
        (
            p.paragraph_id, p.document_id, p.position, p.kind, p.speaker, p.speaker_method, p.quoted_person,
            p.voice, p.language, p.source_ref, p.words, p.paragraph_id in content.statements,
            content.copies.get(p.paragraph_id, ""), d.outlet, d.date, first, last, *labels, p.text,
        )
        for p in d.paragraphs
    ]  # fmt: skip


def _narrative_rows(content: SnapshotContent) -> list[Row]:
    named: list[Row] = [
        (
            n.id,
            at,
            n.name,
            "codebook",
            "active",
            n.definition,
            n.parent,
            "",
            n.colour,
            content.thresholds.get(n.id, n.threshold),
            [*n.cues],
            n.digest,
            [*n.includes],
            [*n.excludes],
            [*n.exemplars],
        )
        for at, n in enumerate(content.narratives.narratives)
    ]
    found: list[Row] = [
        (
            c.cluster_id,
            at,
            c.name,
            "discovered",
            "candidate",
            "",
            "",
            c.nearest,
            "",
            None,
            list(c.phrases),
            "",
            [],
            [],
            [],
        )
        for at, c in enumerate(candidates(content.clusters), len(named))
    ]
    return named + found


def _cluster_row(c: Cluster) -> Row:
    return (
        c.cluster_id, c.name, list(c.phrases), len(c.members), c.narrative_id, c.nearest,
        _rounded(c.purity), c.recurring, c.routine, _rounded(c.stance), _rounded(c.cohesion),
    )  # fmt: skip


def _member_rows(clusters: Iterable[Cluster]) -> list[Row]:
    rows: list[Row] = []
    for c in clusters:
        rank = {paragraph_id: at for at, paragraph_id in enumerate(c.representatives, 1)}
        rows += [(c.cluster_id, member, rank.get(member)) for member in c.members]
    return rows


def _speaker_rows(content: SnapshotContent) -> list[Row]:
    return [
        (
            s.name,
            s.affiliation,
            list(s.aliases),
            [
                {
                    "title": role.title,
                    "start_day": role.start.isoformat() if role.start else None,
                    "end_day": role.end.isoformat() if role.end else None,
                }
                for role in s.roles
            ],
        )
        for s in sorted(content.speakers, key=lambda s: s.name)
    ]
