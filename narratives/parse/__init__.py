"""Turn raw documents into clean, dated, attributed paragraphs. Pure: no files are read and no state is kept."""

from __future__ import annotations

from narratives.parse.attribution.roster import Roster
from narratives.parse.date_lines import find_name_date
from narratives.parse.date_strings import get_latest_day, parse_date
from narratives.parse.dates import UNDECIDED, DateOrder
from narratives.parse.document import (
    PARSER_VERSION,
    add_to_date_order,
    hash_rules,
    is_statement,
    parse_document,
    parse_lasting,
)
from narratives.parse.duplicates import find_boilerplate, find_copies

__all__ = [
    "PARSER_VERSION",
    "UNDECIDED",
    "DateOrder",
    "Roster",
    "add_to_date_order",
    "find_boilerplate",
    "find_copies",
    "find_name_date",
    "get_latest_day",
    "hash_rules",
    "is_statement",
    "parse_date",
    "parse_document",
    "parse_lasting",
]
