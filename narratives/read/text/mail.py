"""Read mails (.eml) and mailboxes (.mbox) with the standard library: one document from each message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, cast

from narratives.model import InputFile, RawDocument, RawParagraph, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, make_empty_error, open_bytes, read_within_limit
from narratives.read.html.fragments import read_fragment
from narratives.read.rows import make_document, make_rejected, replace_unstorable

MAX_DEPTH = 5  # of digests in digests
MAX_HEAD = 1_000_000  # bytes in which the headers of a message are
MAX_HEADER = 10_000  # characters; the time of the library's parser grows with the square of a header
_USED_HEADERS = (b"from", b"subject", b"date", b"message-id", b"content-type", b"content-transfer-encoding")
# What an attachment with text may be; pictures, signatures and calendars are no texts.
TEXT_ATTACHMENTS = (".txt", ".html", ".htm", ".pdf", ".docx", ".doc", ".odt", ".rtf", ".csv", ".xlsx", ".md", ".pages")
# What the standard library raises for damaged headers and parts.
_PARSER_ERRORS = (LookupError, ValueError, TypeError, AttributeError, RecursionError)
# A digest as in RFC 1153: messages between lines of 30 hyphens, after a preamble that ends with 70.
_DIGEST_START = re.compile(r"^-{70}\s*$", re.MULTILINE)
_DIGEST_SPLIT = re.compile(r"^-{30}\s*$", re.MULTILINE)
_DIGEST_HEADER = re.compile(
    r"^(?:Message:\s*\d+\n)?(?:[A-Z][\w-]{1,30}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}\n", re.MULTILINE
)
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_WROTE = re.compile(
    r"[^\n]{5,200}\b(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|пишет|написал\w*)\s*:\s*"
)


def read_eml(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one mail; a digest gives one document for each of its messages. `row` starts at 1.

    The subject is the title and the sender's name the outlet. `columns` may map a field to `from` or `to`.
    """
    with open_bytes(file.path) as raw:
        data = read_within_limit(raw, MAX_DOCUMENT_SIZE)
    if not data.strip():
        raise make_empty_error()
    yield from _read_messages([data], file, columns)


def read_mbox(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read each message of a mailbox, as `read_eml` does."""
    with open_bytes(file.path) as raw:
        yield from _read_messages(_split_mailbox(raw, file.path), file, columns)


def _open(data: bytes | ReadError) -> list[EmailMessage | ReadError]:
    """Return the messages in a message: several in a digest; a ReadError for what cannot be parsed."""
    try:
        return [data] if isinstance(data, ReadError) else _open_digest(_parse(data))
    except ReadError as error:
        return [error]
    except _PARSER_ERRORS as error:
        return [ReadError("an undamaged mail", f"one that cannot be parsed ({error})", "Export it again.")]


def _split_mailbox(raw: BinaryIO, path: Path) -> Iterator[bytes | ReadError]:
    """Split a mailbox at the lines `From …` after an empty line. A message that is too long is a ReadError."""
    lines: list[bytes] = []
    size, before = -1, b"\n"
    while line := raw.readline(MAX_DOCUMENT_SIZE):
        if line.startswith(b"From ") and not before.strip():
            if size >= 0:
                yield _join_message(lines, size)
            lines, size = [], 0
        elif size < 0 and line.strip():
            raise ReadError(
                "a mailbox, whose messages begin with a line `From …`", f"{path.name}", "Export it as mbox."
            )
        else:
            size += len(line)
            if size <= MAX_DOCUMENT_SIZE:
                lines.append(line[1:] if re.match(rb">+From ", line) else line)
        before = line
    if size < 0:
        raise make_empty_error()
    yield _join_message(lines, size)


def _join_message(lines: Sequence[bytes], size: int) -> bytes | ReadError:
    if size <= MAX_DOCUMENT_SIZE:
        return b"".join(lines)
    expected = f"messages of up to {MAX_DOCUMENT_SIZE // 1_000_000} MB"
    return ReadError(expected, f"one of {size // 1_000_000} MB", "Save its text as a file of its own.")


def _read_messages(
    messages: Sequence[bytes] | Iterator[bytes | ReadError], file: InputFile, columns: Mapping[str, str]
) -> Iterator[RawDocument | Rejected]:
    row = 0
    for data in messages:
        parts = _open(data)
        for part in parts:
            row += 1
            try:
                if isinstance(part, ReadError):
                    raise part
                yield _read_message(part, file, row, columns)
                names = _list_attachments(part)
            except ReadError as error:
                yield make_rejected(file.source_path, row, error)
                continue
            except _PARSER_ERRORS as error:
                broken = ReadError("an undamaged mail", f"one that cannot be parsed ({error})", "Export it again.")
                yield make_rejected(file.source_path, row, broken)
                continue
            if names:
                hint = "Save what belongs to the texts as files of their own."
                left = ReadError("a mail without attachments", f"also {', '.join(names)}, not read", hint)
                yield make_rejected(file.source_path, row, left)


def _parse(data: bytes) -> EmailMessage:
    """Parse a message. Raises ReadError if one of the headers in use is too long for the parser."""
    head = re.split(rb"\r?\n\r?\n", data[:MAX_HEAD], maxsplit=1)[0]
    for header in re.split(rb"\r?\n(?![ \t])", head):
        name = header[:40].partition(b":")[0].lower()
        if len(header) > MAX_HEADER and name in _USED_HEADERS:
            got = f"one of {len(header):,} characters"
            raise ReadError(f"headers of up to {MAX_HEADER:,} characters", got, "Save the text of the mail as .txt.")
    return message_from_bytes(data, policy=policy.default)


def _open_digest(message: EmailMessage, depth: int = 0) -> list[EmailMessage | ReadError]:
    """Return the messages of a digest, or the message itself."""
    if depth < MAX_DEPTH and message.get_content_type() == "multipart/digest":
        inner = [cast(EmailMessage, part) for part in message.iter_parts()]
        attached = [part for part in inner if part.get_content_type() == "message/rfc822"]
        opened = [_open_digest(cast(EmailMessage, part.get_payload(0)), depth + 1) for part in attached]
        return [one for several in opened for one in several] or [message]
    for part in message.walk() if depth < MAX_DEPTH else ():
        if part is not message and part.get_content_type() == "multipart/digest":
            return _open_digest(part, depth + 1)
    text = "" if message.is_multipart() or message.get_content_type() != "text/plain" else _get_content(message)
    if not (start := _DIGEST_START.search(text)):
        return [message]
    letters = [piece.strip() + "\n" for piece in _DIGEST_SPLIT.split(text[start.end() :])]
    found = [letter for letter in letters if _DIGEST_HEADER.match(letter)]
    return [_parse_letter(letter) for letter in found] if found else [message]


def _parse_letter(letter: str) -> EmailMessage:
    _, _, rest = letter.partition("\n") if letter.startswith("Message:") else ("", "", letter)
    return message_from_string(rest, policy=policy.default)


def _read_message(message: EmailMessage, file: InputFile, row: int, columns: Mapping[str, str]) -> RawDocument:
    sender = message["From"]
    values = {
        "title": _get_header(message, "Subject"),
        "outlet": _get_name(message) if sender else "",
        "date": format_date(_get_header(message, "Date")),
        "id": _get_header(message, "Message-ID"),
        "from": _get_name(message),
        "to": " ".join(str(dict(message.raw_items()).get("To", "")).split()),
    }
    return make_document(values, file, row, columns, _read_body(message))


def _read_body(message: EmailMessage) -> list[RawParagraph]:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        got = f"only {message.get_content_type()}"
        raise ReadError("a mail with a text", got, "Save its text or attachment as a file of its own.")
    content = _get_content(cast(EmailMessage, body))
    if body.get_content_type() == "text/html":
        return read_fragment(content)
    is_flowed = body.get_param("format", "") == "flowed"
    return _split_plain_text(_join_flowed(content) if is_flowed else content)


def _split_plain_text(content: str) -> list[RawParagraph]:
    """Split the text of a mail: what it quotes of another mail is of kind `quote`; the signature is left out."""
    text = content.replace("\r\n", "\n")
    signatures = [match.start() for match in _SIGNATURE.finditer(text)]
    if signatures and text[signatures[-1] :].count("\n") <= 12:
        text = text[: signatures[-1]]
    paragraphs = []
    for group in re.split(r"\n[ \t]*\n", text):
        for is_quote, lines in _group_lines(group.split("\n")):
            joined = _join_lines(lines)
            for line in [] if _WROTE.fullmatch(" ".join(joined)) else joined:
                paragraphs.append(RawParagraph(replace_unstorable(line), kind="quote" if is_quote else ""))
    return paragraphs


def _group_lines(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    group: list[str] = []
    before = False
    for line in lines:
        is_quote = line.startswith(">")
        if group and is_quote != before:
            yield before, group
            group = []
        group.append(line.lstrip("> ") if is_quote else line.strip())
        before = is_quote
    yield before, group


def _join_lines(lines: Sequence[str]) -> list[str]:
    """Join lines that were broken at the width of a mail; short lines, such as addresses, stay apart."""
    filled = [line for line in lines if line]
    is_wrapped = all(len(line) >= 40 for line in filled[:-1]) and len(filled) > 1
    return [" ".join(filled)] if is_wrapped else filled


def _join_flowed(text: str) -> str:
    """Join the lines of a text whose soft breaks are spaces at line ends (RFC 3676)."""
    return re.sub(r"(?<!--) \n(?!>)", " ", text.replace("\r\n", "\n"))


def _get_content(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # an encoding that does not exist
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _list_attachments(message: EmailMessage) -> list[str]:
    names = [part.get_filename() or "" for part in message.iter_attachments()]
    return [name for name in names if name.lower().endswith(TEXT_ATTACHMENTS)]


def _get_header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _get_name(message: EmailMessage) -> str:
    """Return the name of the sender, or else the address."""
    sender = message["From"]
    first = next(iter(getattr(sender, "addresses", ())), None)
    return (first.display_name or first.addr_spec) if first is not None else ""


def format_date(text: str) -> str:
    """Return a date as mails and feeds write it (RFC 2822) in ISO 8601, without change of time zone."""
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError):
        return text
