"""Raw documents to clean, dated, attributed paragraphs. Pure: reads no file, keeps no state."""

from __future__ import annotations

from narratives.parse.copies import find_copies
from narratives.parse.document import PARSER_VERSION, is_statement, parse_document
from narratives.parse.repeats import find_boilerplate
from narratives.parse.roster import Roster

__all__ = ["PARSER_VERSION", "Roster", "find_boilerplate", "find_copies", "is_statement", "parse_document"]
