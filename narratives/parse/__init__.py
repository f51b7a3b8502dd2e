"""Raw documents to clean, dated, attributed paragraphs. Pure: reads no file, keeps no state."""

from __future__ import annotations

from narratives.parse.attribution.roster import Roster
from narratives.parse.document import PARSER_VERSION, is_statement, parse_document
from narratives.parse.duplicates import find_boilerplate, find_copies

__all__ = ["PARSER_VERSION", "Roster", "find_boilerplate", "find_copies", "is_statement", "parse_document"]
