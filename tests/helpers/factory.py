"""A small store of real shape, built in code: for the tests of the store, the pages and the exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from narratives.model import (
    Assignment,
    Cluster,
    Codebook,
    Document,
    Event,
    Narrative,
    Paragraph,
    Rejected,
    Role,
    SnapshotContent,
    Speaker,
    StoreError,
    Voice,
)
from narratives.store import Store

CODEBOOK = Codebook(
    narratives=(
        Narrative(
            "western_russophobia",
            "Western Russophobia",
            "Hostility to Russia in the West is prejudice.",
            colour="#4269d0",
            threshold=0.5,
        ),
        Narrative(
            "us_meddles_too",
            "The US meddles too",
            "The United States interferes in elections elsewhere.",
            colour="#efb118",
        ),
        Narrative(
            "wwii_memory",
            "Memory of the Second World War",
            "The memory of the war is being falsified.",
            includes=("monuments taken down", "films that mock it"),
            excludes=("holiday greetings",),
            exemplars=("They rewrite the history of our victory.", "That war is not theirs to retell."),
            colour="#6cc5b0",
        ),
    ),
    digest="0" * 64,
    source="codebook.toml",
)

# (speaker, voice, text, narrative ids with scores) for every body paragraph of a document.
Body = tuple[str, Voice, str, dict[str, float]]


def document(
    number: int, when: str, outlet: str, title: str, bodies: Sequence[Body], language: str = "en"
) -> tuple[Document, list[Assignment]]:
    """A document with a title paragraph and the given bodies, and the assignments of these."""
    document_id = f"d{number:03d}"
    paragraphs = [Paragraph(f"{document_id}-000", document_id, 0, "title", title, words=len(title.split()))]
    assignments = []
    for position, (speaker, voice, text, narratives) in enumerate(bodies, 1):
        paragraph = Paragraph(
            f"{document_id}-{position:03d}",
            document_id,
            position,
            "question" if voice == "question" else "body",
            text,
            speaker=speaker,
            speaker_method="label" if speaker else "",
            voice=voice,
            language=language,
            words=len(text.split()),
        )
        paragraphs.append(paragraph)
        assignments += [
            Assignment(
                paragraph.paragraph_id,
                key,
                score,
                origin="discovered" if key.startswith("c-") else "codebook",
                sentence=text,
            )
            for key, score in narratives.items()
        ]
    precision = {0: "none", 4: "year", 7: "month", 10: "day"}[len(when)]
    made = Document(
        document_id,
        f"in/{number:03d}.txt",
        0,
        f"https://example.org/{number}",
        outlet,
        title,
        when,
        precision,  # type: ignore[arg-type]
        "byline" if when else "no date in the text",
        language,
        "paraphrase",
        "",
        tuple(paragraphs),
    )
    return made, assignments


def content() -> SnapshotContent:
    """Seven documents of 2016-2019 with 3 codebook narratives, 1 candidate, 2 topics, copies, and 2 rejected inputs.

    Statement paragraphs: 9 originals and 1 copy. One is dated `2017`, one document has no date, one is in
    a language that is not read, one text would run as a formula in a spreadsheet.
    """
    zakharova, putin = "Maria Zakharova", "Vladimir Putin"
    made = [
        document(
            1,
            "2016-11-10",
            "Foreign Ministry",
            "Weekly briefing",
            [
                ("", "question", "Question: how do you see the elections over there?", {}),
                (
                    zakharova,
                    "own",
                    "The press there has long been blinded by russophobia.",
                    {"western_russophobia": 0.91},
                ),
                (
                    zakharova,
                    "own",
                    "Washington has meddled in elections and breeds russophobia.",
                    {"us_meddles_too": 0.83, "western_russophobia": 0.62},
                ),
                (zakharova, "own", "The minister will visit Lima on Friday next.", {}),
            ],
        ),
        document(
            2,
            "2016-12-14",
            "RT",
            "Kremlin on the elections",
            [
                (putin, "quoted", "The United States interferes in elections everywhere.", {"us_meddles_too": 0.95}),
                ("", "outlet", "The remarks came at the end of a long day.", {}),
            ],
        ),
        document(
            3,
            "2017",
            "RT",
            "A year in review",
            [(putin, "reported", "The memory of the war must not be falsified.", {"wwii_memory": 0.77})],
        ),
        document(
            4,
            "2018-05",
            "TASS",
            "On the ninth of May",
            [
                (putin, "own", "Nobody may rewrite the history of that war.", {"wwii_memory": 0.88}),
                (putin, "own", '=HYPERLINK("http://example.org") is what the slide said in full.', {"c-0000beef": 0.7}),
            ],
        ),
        document(
            5,
            "2019-02-03",
            "TASS",
            "A reprint",
            [(putin, "quoted", "The United States interferes in elections everywhere.", {"us_meddles_too": 0.95})],
        ),
        document(
            6,
            "",
            "",
            "An undated leaflet",
            [("", "outlet", "Grain exports grew again in the south this season.", {"c-0000beef": 0.66})],
        ),
        document(
            7,
            "2019-07-01",
            "TASS",
            "Новости",
            [("", "outlet", "Этот абзац написан на русском языке.", {})],
            language="ru",
        ),
    ]
    documents = [made_document for made_document, _ in made]
    return SnapshotContent(
        documents=documents,
        rejected=[Rejected("in/broken.jsonl", 3, "invalid JSON"), Rejected("in/photo.png", 0, "unknown extension")],
        copies={"d005-001": "d002-001"},
        statements={
            p.paragraph_id
            for d in documents
            for p in d.paragraphs
            if p.kind == "body" and p.voice != "question" and p.words >= 5 and p.language == "en"
        },
        assignments=[assignment for _, assignments in made for assignment in assignments],
        narratives=CODEBOOK,
        clusters=[
            Cluster(
                "c-0000beef",
                "Exports and slides",
                ("grain exports", "the slide"),
                ("d004-002", "d006-001"),
                ("d006-001",),
                "",
                "wwii_memory",
                0.0,
                True,
                False,
            ),
            Cluster(
                "c-0000cafe",
                "Elections",
                ("elections",),
                ("d001-003", "d002-001"),
                ("d002-001",),
                "us_meddles_too",
                "us_meddles_too",
                1.0,
                True,
                False,
            ),
            Cluster(
                "t-00000001",
                "elections · interference",
                ("elections", "interference"),
                ("d001-003", "d002-001", "d002-002"),
                ("d002-001", "d001-003"),
                "us_meddles_too",
                "us_meddles_too",
                0.667,
                True,
                False,
                stance=0.7,
                cohesion=0.0,
                theme_id="g-00000001",
            ),
            Cluster(
                "t-00000002",
                "war · memory",
                ("war", "memory"),
                ("d003-001", "d004-001"),
                ("d004-001",),
                "wwii_memory",
                "wwii_memory",
                1.0,
                True,
                False,
                stance=0.2,
                cohesion=0.0,
                theme_id="g-00000002",
            ),
            Cluster(
                "g-00000001",
                "elections",
                ("elections",),
                ("d001-003", "d002-001", "d002-002"),
                ("d002-001",),
                "",
                "",
                0.0,
                False,
                False,
                stance=0.0,
                cohesion=0.0,
            ),
            Cluster(
                "g-00000002",
                "war",
                ("war",),
                ("d003-001", "d004-001"),
                ("d004-001",),
                "",
                "",
                0.0,
                False,
                False,
                stance=0.0,
                cohesion=0.0,
            ),
        ],
        events=[
            Event(date(2016, 11, 8), "US presidential election", "https://example.org/election", ("us_meddles_too",)),
            Event(date(2018, 3, 18), "Russian presidential election", "https://example.org/vote"),
        ],
        speakers=[
            Speaker(zakharova, ("M. Zakharova",), (Role("Spokeswoman", date(2015, 8, 10)),), "Foreign Ministry"),
            Speaker(putin),
        ],
        fingerprint="f" * 64,
        versions={"narratives": "0"},
        parameters={"threshold": "0.5"},
        counts={"boilerplate": 4},
        model="tiny",
        variant="fp32",
    )


def build_store(path: Path, notice: str = "") -> Store:
    """A store at `path` that holds `content()` as its current snapshot."""
    store = Store(path)
    store.write_snapshot(replace(content(), notice=notice))
    return store


def verify_snapshot(path: Path, snapshot_id: str) -> list[str]:
    """Check every byte of a snapshot of the store at `path`; return messages, none if it is intact."""
    try:
        Store(path).check(snapshot_id)
    except StoreError as error:
        return [str(error)]
    return []
