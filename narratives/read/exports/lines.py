"""What the layouts of news databases share: groups of lines, dates, bylines, and the join of wrapped lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

Article = dict[str, str]  # our fields, and `byline` and `section`
Group = Sequence[str]  # the lines between two blank ones, without the space around them

WRAPPED_LINE_LENGTHS = (45, 100)  # shortest and longest line of a paragraph that was broken at a fixed width
MAX_WRAPPED_LINE = 160  # a longer line is a whole paragraph
_MONTHS = {
    number: names.split()
    for number, names in enumerate(
        (
            "january januar janvier enero januari gennaio janeiro jan janv ene gen",
            "february februar février fevrier febrero februari febbraio fevereiro feb févr fév",
            "march märz mars marzo maart março mar mär mrz mrt",
            "april avril abril aprile apr avr abr",
            "may mai mayo mei maggio maio mag",
            "june juni juin junio giugno junho jun giu",
            "july juli juillet julio luglio julho jul juil lug",
            "august août aout agosto augustus aug ago",
            "september septembre septiembre settembre setembro sep sept set",
            "october oktober octobre octubre ottobre outubro oct okt ott out",
            "november novembre noviembre novembro nov",
            "december dezember décembre diciembre dicembre dezembro dec dez déc dic",
        ),
        1,
    )
}
MONTHS = {name: number for number, names in _MONTHS.items() for name in names}
_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(
        rf"\b(?P<month>{_NAMES})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>(?:1[89]|20)\d\d)\b", re.I
    ),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º)?\.?\s+(?:de\s+)?(?P<month>{_NAMES})\.?,?\s+(?:de\s+)?"
        r"(?P<year>(?:1[89]|20)\d\d)\b",
        re.I,
    ),
    re.compile(r"\b(?P<year>(?:1[89]|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(rf"\b(?P<month>{_NAMES})\.?,?\s+(?P<year>(?:1[89]|20)\d\d)\b", re.I),
)
MAX_DATE_LINE_WORDS = 10
_BYLINE = re.compile(r"(?:by|von|par|por|da|door)\s+", re.IGNORECASE)
COPYRIGHT = re.compile(r"(?:\(c\)|©|copr\.|copyright\b|all rights reserved|alle rechte|tous droits)", re.IGNORECASE)


def group_lines(text: str) -> list[Group]:
    """Return the groups of lines between blank ones. Where a line is a whole paragraph, each line is a group."""
    lines = [line.strip() for line in text.replace("\u00a0", " ").replace("\f", "\n\n").split("\n")]
    groups: list[Group] = []
    for is_filled, group in groupby(lines, key=bool):
        if is_filled:
            together = list(group)
            is_wrapped = all(len(line) <= MAX_WRAPPED_LINE for line in together)
            groups += [together] if is_wrapped else [[line] for line in together]
    return groups


def find_date(line: str) -> str:
    """Return the date in a line as `YYYY-MM-DD` or `YYYY-MM`, or ""."""
    for pattern in _DATES:
        if match := pattern.search(line):
            parts = match.groupdict()
            month = MONTHS.get(parts["month"].lower()) or int(parts["month"])
            day = f"-{int(parts['day']):02d}" if parts.get("day") else ""
            return f"{parts['year']}-{month:02d}{day}"
    return ""


def is_date_line(line: str) -> bool:
    """Return whether a line says when an article appeared: a date and little else."""
    return len(line.split()) <= MAX_DATE_LINE_WORDS and find_date(line) != "" and not COPYRIGHT.search(line)


def join_text(groups: Sequence[Group]) -> str:
    """Return the paragraphs of groups of lines, with blank lines between them."""
    return "\n\n".join(paragraph for group in groups for paragraph in join_lines(group))


def join_lines(lines: Group) -> list[str]:
    """Join lines that were broken at a fixed width; lines that are whole paragraphs stay apart."""
    shortest, longest = WRAPPED_LINE_LENGTHS
    if len(lines) > 1 and all(shortest <= len(line) <= longest for line in lines[:-1]) and len(lines[-1]) <= longest:
        return [" ".join(lines)]
    return list(lines)


def clean_byline(text: str) -> str:
    """Return a byline without the word before the name."""
    return _BYLINE.sub("", " ".join(text.split()), count=1) if _BYLINE.match(text) else " ".join(text.split())


def is_byline(line: str) -> bool:
    """Return whether a line says who wrote an article."""
    return _BYLINE.match(line) is not None and len(line.split()) <= 12
