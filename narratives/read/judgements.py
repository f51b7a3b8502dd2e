"""Judgements of drawn paragraphs: the CSV that `spotcheck draw` writes and people fill in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from narratives.model import ConfigError, Judgement, ReadError, Rejected
from narratives.read.delimited import csv_record, csv_rows, find_delimiter, take
from narratives.read.encoding import open_text

COLUMNS = ("snapshot", "paragraph_id", "narrative_id", "verdict")
VERDICTS: dict[str, bool | None] = {"yes": True, "no": False, "unsure": None}


def read_judgements(path: Path) -> Iterator[Judgement | Rejected]:
    """The rows with a verdict, in the file's order, a bad one as `Rejected`; others are passed over.

    Columns other than COLUMNS play no part. Cells may be parted by commas, semicolons, tabs or bars, as
    spreadsheets of any language save them. Raises ConfigError where the file cannot be read or lacks one of
    them.
    """
    try:
        delimiter = find_delimiter(path, COLUMNS)
        with open_text(path, newline="", guess=True) as lines:
            rows = csv_rows(lines, delimiter)
            header = [name.strip() for name in take(next(rows, []))]
            if any(header.count(name) != 1 for name in COLUMNS):
                got = ", ".join(header) or "an empty file"
                raise ConfigError(
                    f"the columns {', '.join(COLUMNS)}, each once, in {path}",
                    got,
                    "Fill in a file of `spotcheck draw`.",
                )
            for number, cells in enumerate(rows, 1):
                try:
                    record = csv_record(cells, header)
                    if record["verdict"].strip():
                        yield _judgement(record, number)
                except ReadError as error:
                    yield Rejected(str(path), number, str(error))
    except (ReadError, UnicodeDecodeError) as error:
        got = error.got if isinstance(error, ReadError) else str(error)
        raise ConfigError(f"CSV in {path}", got, "Save the file as CSV in UTF-8.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"a readable file {path}", reason, "Check the path and your rights.") from error


def _judgement(record: dict[str, str], row: int) -> Judgement:
    snapshot, paragraph, narrative = (record[name].strip() for name in COLUMNS[:3])
    said = record["verdict"].strip().casefold()
    if said not in VERDICTS:
        where = f"verdict on {paragraph} and {narrative}"
        raise ReadError(f"one of {', '.join(VERDICTS)} as {where}", repr(said[:40]), "Correct that cell.")
    return Judgement(row, snapshot, paragraph, narrative, VERDICTS[said])
