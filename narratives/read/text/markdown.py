"""Read Markdown with markdown-it; front matter in YAML or TOML gives the columns."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, decode_text, open_bytes, read_within_limit
from narratives.read.html.fragments import read_fragment
from narratives.read.rows import METADATA_FIELDS, fold, make_document

MAX_FRONT_MATTER = 20_000  # characters
_FRONT_MATTER = re.compile(
    r"\A(?P<fence>---|\+\+\+)[ \t]*\n(?P<values>.*?)^(?P=fence)[ \t]*$\n?", re.DOTALL | re.MULTILINE
)


def read_markdown(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a Markdown file as one document with `row` 0. Its title is that of the front matter, or its first heading.

    `columns` may map a field to another key of the front matter, such as `speaker` to `author`.
    """
    with open_bytes(file.path) as raw:
        text = decode_text(read_within_limit(raw, MAX_DOCUMENT_SIZE))
    values, body = split_front_matter(text)
    paragraphs = read_fragment(_convert_to_html(body))
    if paragraphs and paragraphs[0].kind == "heading":
        title = str(values.get("title") or "").strip()
        if title in ("", paragraphs[0].text):
            values["title"], paragraphs = paragraphs[0].text, paragraphs[1:]
    if not paragraphs:
        raise ReadError("a text", "only a title", "Add text, or leave it out.")
    yield make_document(values, file, 0, columns, paragraphs)


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """Return the values at the top of a Markdown file by name, and the rest of the file.

    Names of our fields are in lower case. Raises ReadError if the values are neither YAML nor TOML.
    """
    match = _FRONT_MATTER.match(text[:MAX_FRONT_MATTER])
    if match is None:
        return {}, text
    import yaml  # loaded only for the first such file

    values: object = {}
    try:
        if match["fence"] == "+++":
            values = {key: str(value) for key, value in tomllib.loads(match["values"]).items()}
        else:
            # Everything as it is written: a date stays as it is, and an alias cannot grow.
            values = yaml.load(match["values"], Loader=yaml.BaseLoader)
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        hint = "Correct it, or remove it from the top of the file."
        raise ReadError("front matter in YAML or TOML", " ".join(str(error).split()), hint) from error
    if not isinstance(values, dict):
        return {}, text  # a line across the page, and not front matter
    plain = {str(key): value for key, value in values.items() if isinstance(value, str)}
    fields = {fold(key): value for key, value in plain.items() if fold(key) in METADATA_FIELDS}
    return {**plain, **fields}, text[match.end() :]


def _convert_to_html(text: str) -> str:
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
