"""A store with hostile strings in every field: a public list, and what that list lacks."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from pathlib import Path

from narratives.model import Event, Rejected, SnapshotContent, Speaker
from narratives.store import Store
from tests.conftest import ROOT
from tests.helpers.factory import Body, content, document

# What the tests look for if it ran.
RAN = "window.__ran=1;alert(1)"
OWN = (
    f"<script>{RAN}</script>",
    f"<img src=x onerror={RAN}>",
    f"<svg onload={RAN}>",
    f"[click](javascript:{RAN})",
    "![picture](https://evil.example/a.png)",
    "<a href=https://evil.example/x>link</a>",
    "see https://evil.example/b and www.evil.example or mail eve@evil.example",
    ":material/home: :smile: :red[red] $E=mc^2$ `code` a -> b",
    "\u202ereversed \u2066isolated",
    "\x1b[31mred\x1b]0;title\x07",
    "zero\u200bwidth\u200djoined\ufeff",
    '=HYPERLINK("https://evil.example")',
    "＝1+1",
    "\t=1+1",
    "@SUM(1+1)",
    "'; DROP TABLE paragraphs; --",
    "../../../../etc/passwd",
    "%{customdata[0]} {{ 7*7 }} ${7*7} <%= 7*7 %>",
    "W" * 3000,
)
URLS = (f"javascript:{RAN}", "data:text/html,<script>alert(1)</script>", 'https://evil.example/"onclick=alert(1)', "")


def load_strings() -> list[str]:
    """All strings that a store can hold: without NUL and lone surrogates, which reading replaces."""
    listed = json.loads((ROOT / "tests" / "data" / "naughty-strings.json").read_text("utf-8"))
    clean = (text.replace("\0", "\ufffd").encode("utf-8", "replace").decode() for text in [*OWN, *listed])
    return list(dict.fromkeys(text for text in clean if text.strip()))


def make_content() -> SnapshotContent:
    """The content of a snapshot in which each string is in a text, and many in every other field."""
    strings = load_strings()
    number = count()

    def take() -> str:
        return strings[next(number) % len(strings)]

    base = content()
    made = []
    for place in range(0, len(strings), 6):
        bodies: list[Body] = []
        for offset, text in enumerate(strings[place : place + 6]):
            keys = ("western_russophobia", "us_meddles_too", "wwii_memory", "c-0000beef")
            voice = ("own", "quoted", "reported", "outlet")[offset % 4]
            bodies.append((take(), voice, f"{text} and five further words here", {keys[offset % 4]: 0.9}))
        made.append(document(100 + place, f"201{place % 8}-0{place % 9 + 1}-11", take(), take(), bodies))
    documents = [replace(d, url=URLS[i % len(URLS)], source_path=f"{i} {take()}") for i, (d, _) in enumerate(made)]
    named = [
        replace(n, name=f"{i} {take()}", definition=take(), exemplars=(take(),), includes=(take(),), excludes=(take(),))
        for i, n in enumerate(base.narratives.narratives)
    ]
    members = {c.cluster_id: tuple(f"d{100 + 6 * i:03d}-00{1 + i % 4}" for i in range(6)) for c in base.clusters}
    clusters = [
        replace(
            c,
            name=f"{i} {take()}",
            phrases=(take(), take()),
            members=members[c.cluster_id],
            representatives=members[c.cluster_id][:2],
        )
        for i, c in enumerate(base.clusters)
    ]
    return replace(
        base,
        documents=documents,
        rejected=[Rejected(f"{i} {take()}", i, take()) for i in range(12)],
        copies={},
        statements={p.paragraph_id for d in documents for p in d.paragraphs if p.kind == "body"},
        assignments=[assignment for _, own in made for assignment in own],
        narratives=replace(base.narratives, narratives=tuple(named)),
        clusters=clusters,
        events=[Event(base.events[0].date, take(), "https://example.org/e")],
        speakers=[Speaker(f"{i} {take()}") for i in range(3)],
        notice=f"notice {OWN[0]} {OWN[6]}",
    )


def build_hostile_store(path: Path) -> Path:
    Store(path).write_snapshot(make_content())
    return path
