"""Characters that act instead of being seen: on a terminal, or on the order of the text after them."""

from __future__ import annotations

import re

# Control characters, marks and overrides of the direction of writing, line separators, and lone surrogates.
ACTING_CHARACTERS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_ACTING = re.compile(f"[{ACTING_CHARACTERS}\ud800-\udfff]")
_LAYOUT = "\n\t"


def escape_controls(text: str, kept: str = _LAYOUT) -> str:
    r"""Write characters that act as their codes, such as `\x1b` and `\u202e`, except those in `kept`.

    A byte of a file name that is not UTF-8, which Python keeps as a lone surrogate, is written as `\xff`.
    """
    return _ACTING.sub(lambda match: match[0] if match[0] in kept else _format_code(match[0]), text)


def remove_controls(text: str) -> str:
    """Return the text without characters that act; line feeds and tabs stay."""
    return text if text.isascii() and text.isprintable() else _ACTING.sub(_keep_layout, text)


def _keep_layout(match: re.Match[str]) -> str:
    return match[0] if match[0] in _LAYOUT else ""


def _format_code(character: str) -> str:
    # Python stores a byte that is not UTF-8 as a lone surrogate: 0xDC00 plus the byte.
    code = ord(character)
    byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
    return f"\\x{byte:02x}" if byte <= 0xFF else f"\\u{byte:04x}"
