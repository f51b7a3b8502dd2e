"""A store with several speakers and outlets over four years: for the tests of speakers and of spread."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from narratives.model import Assignment, Document, Role, SnapshotContent, Speaker
from narratives.store import Store
from tests.helpers.factory import Body, content, document

PUTIN, LAVROV, HAWK, GUEST = "Vladimir Putin", "Sergei Lavrov", "Ann *Hawk* <b>", "A Guest"
RUSSOPHOBIA, MEDDLES, MEMORY = "western_russophobia", "us_meddles_too", "wwii_memory"
SPEAKERS = (
    Speaker(
        PUTIN,
        roles=(
            Role("President", date(2012, 5, 7)),
            Role("Head of State", date(2012, 5, 7)),
            Role("Prime Minister", date(2008, 5, 8), date(2012, 5, 7)),
        ),
    ),
    Speaker(LAVROV, roles=(Role("Foreign Minister"),)),
)


def _text(number: int, place: int) -> str:
    return f"Paragraph {place} of document {number} says something of its own here."


def speaking() -> SnapshotContent:
    """90 documents: Putin in 60, Lavrov in 40 of them and after, Hawk in 6, a guest in one; 5 copies.

    Putin has most text, Lavrov advances most: the meddling, which he is the first to do. Hawk's texts are
    known to the year only. RT copies five paragraphs of TASS.
    """
    made: list[tuple[Document, list[Assignment]]] = []
    for n in range(60):
        when = f"{2016 + n % 4}-{1 + n % 12:02}-{1 + n % 28:02}"
        bodies: list[Body] = [
            (PUTIN, "own", _text(n, 1), {RUSSOPHOBIA: 0.9} if n % 5 == 0 else {}),
            (PUTIN, "own" if n % 3 else "quoted", _text(n, 2), {MEMORY: 0.8} if n % 6 == 0 else {}),
            (PUTIN, "own", _text(n, 3), {RUSSOPHOBIA: 0.7, MEDDLES: 0.6} if n % 20 == 5 else {}),
        ]
        if n % 3 == 0:
            bodies.append((LAVROV, "own", _text(n, 4), {MEDDLES: 0.9} if n % 2 else {}))
        made.append(document(100 + n, when, "TASS" if n % 2 else "Kremlin", f"Meeting {n}", bodies))
    for n in range(20):
        when = f"{2017 + n % 2}-{1 + n % 12:02}-10"
        bodies = [(LAVROV, "own", _text(200 + n, 1), {MEDDLES: 0.9}), ("", "outlet", _text(200 + n, 2), {})]
        made.append(document(200 + n, when, "TASS", f"Briefing {n}", bodies))
    for n in range(6):
        bodies = [(HAWK, "own", _text(300 + n, place), {MEDDLES: 0.8} if place == 1 else {}) for place in range(1, 7)]
        made.append(document(300 + n, f"{2016 + n % 3}", "Debate", f"Debate {n}", bodies))
    made.append(document(400, "2018-05-05", "RT", "A guest", [(GUEST, "reported", _text(400, 1), {MEMORY: 0.8})]))
    copied = {}
    for n in (1, 3, 5, 7, 9):  # of TASS, where Lavrov advances it
        original = f"d{200 + n}-001"
        made.append(
            document(
                500 + n, f"2019-0{n}-01", "RT", "A reprint", [(LAVROV, "quoted", _text(200 + n, 1), {MEDDLES: 0.9})]
            )
        )
        copied[f"d{500 + n}-001"] = original
    documents = [one for one, _ in made]
    return replace(
        content(),
        documents=documents,
        rejected=[],
        copies=copied,
        statements={p.paragraph_id for d in documents for p in d.paragraphs if p.kind == "body"},
        assignments=[assignment for _, found in made for assignment in found],
        clusters=[],
        speakers=list(SPEAKERS),
    )


def speaking_store(path: Path, notice: str = "") -> Store:
    """A store at `path` that holds `speaking()` as its current snapshot."""
    store = Store(path)
    store.write_snapshot(replace(speaking(), notice=notice))
    return store
