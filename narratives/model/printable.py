"""What must not be shown as it is: characters that act on a terminal or on the text after them, and folders."""

from __future__ import annotations

import re
from pathlib import Path

# Control characters, marks and overrides of the direction of writing, line separators, and lone surrogates.
ACTING_CHARACTERS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_ACTING = re.compile(f"[{ACTING_CHARACTERS}\ud800-\udfff]")
_LAYOUT = "\n\t"
# The folders of an absolute path, before its last part; not those of a web address.
_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/'\"`,;:()<>]+/)*(?=[^\s/'\"`,;:()<>])")


def escape_controls(text: str, kept: str = _LAYOUT) -> str:
    r"""Write characters that act as their codes, such as `\x1b` and `\u202e`, except those in `kept`.

    A byte of a file name that is not UTF-8, which Python keeps as a lone surrogate, is written as `\xff`.
    """
    return _ACTING.sub(lambda match: match[0] if match[0] in kept else _format_code(match[0]), text)


def remove_controls(text: str) -> str:
    """Return the text without characters that act; line feeds and tabs stay."""
    return text if text.isascii() and text.isprintable() else _ACTING.sub(_keep_layout, text)


def hide_folders(text: str, root: Path) -> str:
    """Replace absolute paths by the last part of each, for readers who need not know the folders of a server.

    Names of folders may contain spaces. Those of `root` are known, and hidden as a whole.
    """
    return _FOLDERS.sub("", text.replace(str(root), root.name))


def _keep_layout(match: re.Match[str]) -> str:
    return match[0] if match[0] in _LAYOUT else ""


def _format_code(character: str) -> str:
    # Python stores a byte that is not UTF-8 as a lone surrogate: 0xDC00 plus the byte.
    code = ord(character)
    byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
    return f"\\x{byte:02x}" if byte <= 0xFF else f"\\u{byte:04x}"
