"""Split the exports of ProQuest: articles between lines of underscores or below `Document 1 of 3`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from narratives.read.exports.lines import Article, Group, clean_byline, find_date, join_text

_RULE = re.compile(r"_{20,}")
_START = re.compile(r"(?:Document|Dokument|Documento) \d{1,5} (?:of|de|von|di) \d{1,5}", re.IGNORECASE)
_MAY_BE = re.compile(
    r"ProQuest|^[ \t]*(?:Full text|Texte intégral|Texto completo|Volltext)[ \t]*:", re.IGNORECASE | re.MULTILINE
)
# The names of the fields in English, French, Spanish and German, by what they are here.
_NAMES = {
    "title": "title|titre|título|titel",
    "byline": "author|auteur|autor|verfasser",
    "outlet": "publication title|titre de la publication|título de publicación|titel der publikation|publikationstitel",
    "info": "publication info|infos sur la publication|información de publicación|publikationsinfo",
    "date": "publication date|date de publication|fecha de publicación|veröffentlichungsdatum|publikationsdatum",
    "year": "publication year|année de publication|año de publicación|erscheinungsjahr",
    "text": "full text|texte intégral|texto completo|volltext",
    "abstract": "abstract|résumé|resumen",
    "section": "section|sección|rubrique",
    "language": "language of publication|language|langue de publication|idioma de la publicación|sprache",
    "url": "document url|url du document|url del documento|dokument-url",
    "id": "proquest document id|id de document proquest|id del documento de proquest|proquest-dokument-id",
    "": "links|subject|subjects|location|company / organization|company|people|person|credit|publication subject|issn"
    "|e-issn|source type|document type|publisher|place of publication|country of publication|pages|first page|volume"
    "|issue|copyright|last updated|database|number of pages|illustration|document feature|accession number|series"
    "|business indexing term|identifier / keyword|identifiers / keywords|classification|dateline|column|edition"
    "|publication note|entry date|sujet|lieu|éditeur|pages totales|base de données|dernière mise à jour|droits d'auteur"
    "|materia|lugar|editorial|base de datos|última actualización|thema|ort|verlag|datenbank|caption|captions",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split("|")}
_FIELD = re.compile(r"(?P<name>[^\W\d_][\w /'’-]{2,40}?)\s?:(?:\s+(?P<value>.*))?", re.DOTALL)
_ISSUE = re.compile(r"^(?P<outlet>[^;:\[\]\d]{2,80})")
_LINK = re.compile(r"https?://\S+|ProQuest document link", re.IGNORECASE)
MIN_PROSE_WORDS = 6  # of a paragraph of the text
_ABSENT = re.compile(r"(?:full text )?not available\.?|none available\.?", re.IGNORECASE)


def may_be_export(text: str) -> bool:
    """Return, fast, whether a text has one of the marks of these exports."""
    return _MAY_BE.search(text) is not None


def count_articles(groups: Sequence[Group]) -> int:
    """Return how many articles the fields of a text belong to."""
    fields = [_read_field(line)[0] for group in groups for line in group]
    return min(fields.count("text"), fields.count("outlet"))


def split_articles(groups: Sequence[Group]) -> list[Article]:
    """Return the articles of an export; empty if the groups have no lines that separate them, or not their fields."""
    chunks: list[list[Group]] = [[]]
    for group in groups:
        piece: list[str] = []
        for line in [*group, None]:
            if line is None or _RULE.fullmatch(line) or _START.fullmatch(line):
                chunks[-1] += [piece] if piece else []
                piece = []
                if line is not None:
                    chunks.append([])
            else:
                piece.append(line)
    kept = [chunk for chunk in chunks if _has_fields(chunk)]
    is_mixed = any(count_articles(chunk) > 1 for chunk in kept)  # a line is missing between two of them
    return [] if is_mixed else [_read_article(chunk) for chunk in kept]


def _has_fields(chunk: Sequence[Group]) -> bool:
    fields = {_read_field(line)[0] for group in chunk for line in group}
    return len(fields & {"text", "outlet", "info", "date", "id", "year"}) >= 2


def _read_field(line: str) -> tuple[str | None, str]:
    """Return what a line says by its name and its value; None for a line that is no field."""
    match = _FIELD.fullmatch(line)
    field = _FIELDS.get(match["name"].casefold()) if match else None
    return (field, (match["value"] or "").strip()) if match and field is not None else (None, line)


def _read_article(chunk: Sequence[Group]) -> Article:
    lines = [(line, i == 0, *_read_field(line)) for group in chunk for i, line in enumerate(group)]
    end = _find_end_of_text(
        [(field, begins and len(line.split()) >= MIN_PROSE_WORDS) for line, begins, field, _ in lines]
    )
    fields: dict[str, list[list[str]]] = {}
    head: list[str] = []
    current: str | None = None
    for place, (line, begins, field, value) in enumerate(lines):
        if field is not None and not (current == "text" and place < end):
            current = field
            fields.setdefault(field, []).append([value] if value else [])
        elif current is None:
            head.append(line)
        elif begins:
            fields[current].append([line])
        else:
            fields[current][-1].append(line)
    plain = {field: " ".join(" ".join(map(" ".join, groups)).split()) for field, groups in fields.items()}
    info = plain.get("info", "")
    issue = _ISSUE.match(info)
    text = join_text([group for group in fields.get("text", []) if group])
    return {
        "title": plain.get("title") or next((line for line in head if not _LINK.match(line)), ""),
        "byline": clean_byline(plain.get("byline", "")),
        "section": plain.get("section", ""),
        "outlet": plain.get("outlet") or (issue["outlet"].strip(" .,;") if issue else ""),
        "date": find_date(plain.get("date", "")) or find_date(info) or plain.get("year", "")[:4],
        "language": plain.get("language", "").split(";")[0].lower(),
        "url": plain.get("url", "").split(" ")[0],
        "id": plain.get("id", ""),
        "text": "" if _ABSENT.fullmatch(text) else text,
    }


def _find_end_of_text(lines: Sequence[tuple[str | None, bool]]) -> int:
    """Return the place of the first field after the last paragraph that is no field.

    `lines` are fields, each with whether it begins a paragraph of prose. In the text itself, a line such as
    "People: the problem" looks like a field.
    """
    places = range(next((i for i, (field, _) in enumerate(lines) if field == "text"), len(lines)) + 1, len(lines))
    last = max((i for i in places if lines[i][0] is None and lines[i][1]), default=places.start - 1)
    return next((i for i in places if i > last and lines[i][0] is not None), len(lines))
