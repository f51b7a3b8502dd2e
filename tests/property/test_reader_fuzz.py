"""Damaged files of every format: each gives documents or reasons, none raises."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile

import pytest

from narratives.model import RawDocument, Rejected
from narratives.parse import Roster, parse_document
from tests.helpers.reading import read, write_parquet
from tests.unit.read.test_office import BULLETIN, docx

FILES = 600  # of each format
ROSTER = Roster(())
TEXT = "The ministry regards the accusations as unfounded, and asks for the material on which they rest."
ROWS = [
    {"id": f"row-{i}", "date": f"2016-0{i}-10", "title": f"Note {i}", "speaker": "Ann", "text": f"{TEXT} {i}"}
    for i in range(1, 7)
]
PAGE = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>Note</title>
<meta property="article:published_time" content="2016-11-10T10:00:00Z"></head><body><article><h1>A note</h1>
<p class="lead">Маленькая заметка.</p><p>{TEXT}</p><blockquote>{TEXT}</blockquote><ul><li>{TEXT}</li></ul>
<table><tr><td>&laquo;{TEXT}&raquo;</td></tr></table></article></body></html>"""
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = "\n".join([",".join(ROWS[0]), *(",".join(f'"{value}"' for value in row.values()) for row in ROWS)])
TABLE = write_parquet({name: [row[name] for row in ROWS] for name in ROWS[0]} | {"paragraphs": [[TEXT]] * len(ROWS)})
WORD = docx(
    ("Heading1", "Remarks on trade"),
    ("", TEXT),
    ("Heading2", "Answers"),
    ("", "Maria Orlova: |The figures are public."),
)


def damage(data: bytes, chance: random.Random) -> bytes:
    """The bytes cut short, flipped, overwritten, longer or shorter, up to four times."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        end = min(len(out), at + chance.choice([1, 2, 8, 64, 512]))
        kind = chance.randrange(6)
        if kind == 0:
            del out[at:]
        elif kind == 1 and at < len(out):
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            out[at:end] = chance.randbytes(end - at)
        elif kind == 3:
            out[at:at] = chance.choice([chance.randbytes(chance.randint(1, 40)), b"<", b"\0", b'"', b"9" * 12])
        elif kind == 4:
            del out[at:end]
        else:
            out[at:at] = out[at:end] * chance.choice([1, 2, 50])
    return bytes(out)


def damage_parts(data: bytes, chance: random.Random) -> bytes:
    """A sound package of damaged parts, which gets further than a damaged package does."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(sink, "w") as package:
        names = whole.namelist()
        chosen = chance.choice(names)
        for name in names:
            part = whole.read(name)
            package.writestr(name, damage(part, chance) if name == chosen else part)
    return sink.getvalue()


def pack_damaged(data: bytes, chance: random.Random) -> bytes:
    """A sound gzip file of damaged content."""
    return gzip.compress(damage(data, chance), 1)


FORMATS = {
    "a.docx": (WORD, damage_parts),
    "a.pdf": (BULLETIN, damage),
    "a.html": (PAGE.encode(), damage),
    "a.csv": (CSV.encode(), damage),
    "a.jsonl": (JSONL, damage),
    "a.parquet": (TABLE, damage),
    "a.txt": (f"A note\n\n{TEXT}\n".encode(), damage),
}
PACKED = {f"{name}.gz": (content, pack_damaged) for name, (content, _) in FORMATS.items() if "docx" not in name}


@pytest.mark.parametrize("name", [*FORMATS, *PACKED])
def test_no_damage_makes_a_reader_raise(tmp_path, name):
    content, damage_within = (FORMATS | PACKED)[name]
    whole = gzip.compress(content) if name in PACKED else content
    kinds = set()
    # Of packed files there are as many kinds as of others: each gets its share.
    for number in range(FILES if name in FORMATS else -(-FILES // len(PACKED))):
        chance = random.Random(f"{name} {number}")
        damaged = damage_within(content, chance) if number % 2 else damage(whole, chance)
        items = read(tmp_path, damaged, name)
        assert items, number
        for item in items:
            kinds.add(type(item))
            if isinstance(item, RawDocument):
                parse_document(item, ROSTER)
            else:
                # A reason goes into the store and onto the screen, whatever the file holds.
                assert item.reason.isprintable() and len(item.reason) < 2000, number
    assert Rejected in kinds or name.startswith("a.html")
