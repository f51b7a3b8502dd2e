"""Turn raw documents into clean, dated, attributed paragraphs. Pure: no files are read and no state is kept."""

from __future__ import annotations

from narratives.parse.attribution.roster import Roster
from narratives.parse.document import PARSER_VERSION, is_statement, parse_document
from narratives.parse.duplicates import find_boilerplate, find_copies

__all__ = ["PARSER_VERSION", "Roster", "find_boilerplate", "find_copies", "is_statement", "parse_document"]
