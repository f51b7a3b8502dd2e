"""Split the exports of LexisNexis (`1 of 250 DOCUMENTS`) and of Nexis Uni (`End of Document`).

The marks are those by which LexisNexisTools (Gruber) and tm.plugin.lexisnexis know them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from narratives.read.exports.lines import COPYRIGHT, Article, Group, clean_byline, find_date, is_date_line, join_text

_START = re.compile(
    r"(?:FOCUS\s*-\s*)?\d{1,5} (?:of|von|de|van|di) \d{1,5} (?:DOCUMENTS?|DOKUMENTEN?|DOCUMENTOS?|DOCUMENTEN)"
    r"|(?:Document|Dokument|Documento) \d{1,5} (?:of|von|de|van|di) \d{1,5}",
    re.IGNORECASE,
)
_END = re.compile(r"(?:End of Document|Ende des Dokuments|Fin du document|Fin del documento|Einde van document)", re.I)
_MAY_BE = re.compile(
    r"^[ \t]*\d{1,5} \w{2,3} \d{1,5} DO[CK]UMENT|End of Document|Ende des Dokuments|Fin du document|Fin del documento"
    r"|Einde van document|^[ \t]*(?:LENGTH|LÄNGE|LONGUEUR|LOAD-DATE)[ \t]*:"
    r"|^[ \t]*Do[ck]umento? \d+ \w{2,3} \d+[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# Fields before the text, by the names that they have in English, German, French, Spanish and Dutch.
_HEADER_FIELDS = {
    "byline": "byline autor auteur autor(es) von",
    "section": "section rubrik rubrique sección seccion rubriek",
    "length": "length länge longueur longitud lengte",
    "title": "headline titel titre título titulo",
    "lead": "highlight",
    "": "dateline series column type show anchors guests reporters host hosts correspondents edition source"
    " publication-type journal-code document-type body",
}
_TRAILER_NAMES = (
    "load-date language publication-type journal-code document-type graphic subject organization company person"
    " geographic industry ticker correction-date acc-no pub-type sprache langue idioma taal grafik graphique"
    " date-chargement type-publication original-language doc-type fecha-de-carga lade-datum"
)
_TRAILER_FIELDS = frozenset(_TRAILER_NAMES.split())
_HEADER_NAMES = {name: field for field, names in _HEADER_FIELDS.items() for name in names.split()}
_FIELD = re.compile(r"(?P<name>[^\W\d_][\w()-]{2,24}(?:[ -][\w()-]{2,24}){0,2})\s*:\s*(?P<value>.*)", re.DOTALL)
_LENGTH = re.compile(r"\d (?:words|wörter|mots|palabras|woorden)", re.IGNORECASE)
_RIGHTS = re.compile(r"(?:copyright|\(c\)|©) (?:\(c\) |© )?\d{4}|all rights reserved", re.IGNORECASE)
_LONE_TRAILER = re.compile(r"(?:Classification|Graphic|Grafik|Klassifizierung|Classement)")
_BODY = re.compile(r"(?:Body|Text|Volltext|Corps|Cuerpo)\s*:?", re.IGNORECASE)
_PAGE = re.compile(
    r"Page \d{1,5} of \d{1,5}|Seite \d{1,5} von \d{1,5}|Link to (?:Image|PDF|Original.{0,40})", re.IGNORECASE
)
_EDITION = re.compile(r"\b(?:edition|ausgabe|édition|edición|editie)\b", re.IGNORECASE)
_COVER = re.compile(
    r"(?:User Name|Date and Time|Job Number|Client/Matter|Search Terms?|Search Type|Narrowed by)\s*:", re.I
)
_LISTED = re.compile(r"\d{1,5}\.\s+(?P<title>\S.*)")
MAX_HEADER_GROUPS = 30  # in which the fields before the text are


def may_be_export(text: str) -> bool:
    """Return, fast, whether a text has one of the marks of these exports."""
    return _MAY_BE.search(text) is not None


def count_articles(groups: Sequence[Group]) -> int:
    """Return how many articles the fields of a text belong to."""
    lines = [line for group in groups for line in group]
    lengths = sum(_read_name(line) == "length" and _LENGTH.search(line) is not None for line in lines)
    return max(lengths, sum(_read_name(line) == "load-date" for line in lines))


def split_articles(groups: Sequence[Group]) -> list[Article]:
    """Return the articles of an export; empty if the groups have none of the marks, or no fields of an article."""
    starts = [i for i, group in enumerate(groups) if _START.fullmatch(group[0])]
    if not starts and count_articles(groups) != 1 and not any(_END.fullmatch(line) for g in groups for line in g):
        return []
    if starts:
        parts = [groups[start:end] for start, end in zip(starts, [*starts[1:], len(groups)], strict=True)]
        chunks = [[*([first[1:]] if first[1:] else []), *rest] for first, *rest in parts]  # without the mark
    else:
        chunks = _split_at_ends(groups)
    kept = [chunk for chunk in chunks if _has_fields(chunk)]
    is_mixed = any(count_articles(chunk) > 1 for chunk in chunks)  # a mark is missing between two of them
    if not kept or is_mixed or 2 * len(kept) < len(chunks):
        return []
    titles = _list_titles(groups)
    return [_read_article(chunk, titles) for chunk in chunks]


def _split_at_ends(groups: Sequence[Group]) -> list[list[Group]]:
    """Split where a document ends. What comes after the last end is no document, unless it has the fields of one."""
    chunks: list[list[Group]] = [[]]
    for group in groups:
        for i, line in enumerate(group):
            if _END.fullmatch(line):
                before, after = group[:i], group[i + 1 :]
                chunks[-1] += [before] if before else []
                chunks.append([after] if after else [])
                break
        else:
            chunks[-1].append(group)
    return [chunk for chunk in chunks if chunk and (chunk is not chunks[-1] or _has_fields(chunk))]


def _has_fields(chunk: Sequence[Group]) -> bool:
    names = {_read_name(line) for group in chunk for line in group}
    return len(names & {"length", "load-date", "language", "section", "byline", "publication-type"}) >= 2


def _list_titles(groups: Sequence[Group]) -> set[str]:
    """Return the titles that the cover of an export lists."""
    lines = (line for group in groups[:2000] for line in group)
    return {" ".join(match["title"].split()) for line in lines if (match := _LISTED.fullmatch(line))}


def _read_article(chunk: Sequence[Group], titles: set[str]) -> Article:
    groups = [kept for group in chunk for part in _split_body(group) if (kept := _drop_page_lines(part))]
    start, header = _read_header(groups)
    article = {field: value for field, value in header.items() if field not in ("", "length")}
    preface = [line for group in groups[:start] for line in _drop_fields(group)]
    outlet, day, title = _read_preface(preface, [*groups[:start]], titles)
    end = next((i for i in range(start, len(groups)) if _is_trailer(groups[i])), len(groups))
    title = article.get("title") or title
    body = groups[start:end]
    if any(_PAGE.fullmatch(line) for group in chunk for line in group):  # with the title at the top of each page
        body = [kept for group in body if (kept := [line for line in group if line != title])]
    for group in groups[end:]:
        if (match := _FIELD.match(group[0])) and match["name"].casefold() in ("language", "sprache", "langue", "taal"):
            article["language"] = match["value"].split(";")[0].strip().lower()
    return {
        **article,
        "title": title,
        "outlet": outlet,
        "date": day,
        "byline": clean_byline(article.get("byline", "")),
        "text": join_text(body),
    }


def _read_header(groups: Sequence[Group]) -> tuple[int, dict[str, str]]:
    """Return the number of the first group of the text, and the fields before it.

    The text begins below a line `Body`, or else at the first group after the length that is no field.
    """
    marks = (i for i, group in enumerate(groups[:MAX_HEADER_GROUPS]) if len(group) == 1 and _BODY.fullmatch(group[0]))
    mark = next(marks, None)
    header: dict[str, str] = {}
    start = 0
    for i, group in enumerate(groups[:MAX_HEADER_GROUPS] if mark is None else groups[:mark]):
        match = _FIELD.fullmatch(" ".join(group))
        field = _HEADER_NAMES.get(match["name"].casefold()) if match else None
        if match and field is not None:
            header[field] = " ".join(match["value"].split())
            start = i + 1
        elif mark is None and ("length" in header or (start and i > start)):
            break
    return (start if mark is None else mark + 1), header


def _split_body(group: Group) -> list[Group]:
    """Split a group in which the text follows its mark `BODY:` at once."""
    match = _BODY.match(group[0])
    if not match or not match[0].endswith(":") or (len(group) == 1 and match.end() == len(group[0])):
        return [group]
    rest = group[0][match.end() :].strip()
    return [[match[0]], [*([rest] if rest else []), *group[1:]]]


def _drop_page_lines(group: Group) -> list[str]:
    return [line for line in group if not _PAGE.fullmatch(line)]


def _drop_fields(group: Group) -> list[str]:
    match = _FIELD.fullmatch(" ".join(group))
    return [] if match and match["name"].casefold() in _HEADER_NAMES else list(group)


def _read_preface(lines: Sequence[str], groups: Sequence[Group], titles: set[str]) -> tuple[str, str, str]:
    """Return outlet, date and title from the lines above the text that have no names.

    LexisNexis writes outlet, date and title; Nexis Uni title, outlet and date.
    """
    lines = [line for line in lines if not COPYRIGHT.match(line) and not _BODY.fullmatch(line)]
    covers = [i for i, line in enumerate(lines) if _COVER.match(line) or _LISTED.fullmatch(line)]
    lines = lines[covers[-1] + 1 :] if covers else lines
    dates = [i for i, line in enumerate(lines) if is_date_line(line)]
    if not dates:
        return "", "", " ".join(lines[:2])
    place = next((i for i in dates if i > 0), dates[0])
    day, above = find_date(lines[place]), list(lines[:place])
    same = next((group for group in groups if lines[place] in group), ())
    below = [line for line in lines[place + 1 :] if line not in same and not _EDITION.search(line)]
    below = [line for line in below if not is_date_line(line)]
    if below or len(above) < 2:
        return (above[-1] if above else ""), day, " ".join(below)
    listed = [line for line in above[:-1] if line in titles]
    # Below the cover of an export, only the line above the outlet is the title.
    return above[-1], day, listed[-1] if listed else " ".join(above[-2:-1] if covers else above[:-1])


def _is_trailer(group: Group) -> bool:
    """Return whether a group is the first of those after the text."""
    match = _FIELD.match(group[0])
    if match and match["name"] in ("UPDATE", "CORRECTION-DATE") and is_date_line(match["value"]):
        return True
    if match and match["name"].casefold() in _TRAILER_FIELDS:
        name = match["name"]
        return name.isupper() or "-" in name or name in ("Subject", "Language", "Graphic")
    if _LONE_TRAILER.fullmatch(group[0]) and len(group) == 1:
        return True
    return len(group) <= 3 and _RIGHTS.match(group[0]) is not None and len(group[0].split()) <= 15


def _read_name(line: str) -> str:
    match = _FIELD.match(line)
    name = match["name"].casefold() if match else ""
    field = _HEADER_NAMES.get(name) or name
    return {"sprache": "language", "langue": "language", "idioma": "language", "taal": "language"}.get(field, field)
