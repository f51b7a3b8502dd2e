"""Split the exports of Factiva, with field codes (`HD`, `PD`, `SN`, `TD` …) or as they are shown on its pages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from narratives.read.exports.lines import (
    COPYRIGHT,
    Article,
    Group,
    clean_byline,
    find_date,
    is_byline,
    is_date_line,
    join_lines,
)

# The line that ends an article: `Document TASSNW0020180515ee5f0001x`.
_END = re.compile(r"(?:AN[\s|]{1,8})?(?:Document|Dokument|Documento) (?P<id>[A-Z][A-Z0-9]{2,9}0[A-Za-z0-9]{14,24})\|?")
_MAY_BE = re.compile(r"(?:Document|Dokument|Documento) [A-Z][A-Z0-9]{2,9}0[A-Za-z0-9]{14,24}\b|^HD\b", re.MULTILINE)
_ALL_CODES = "SE HD BY CR WC PD ET SN SC ED PG VOL LA CY LP TD ART CT RF CX CLM DLN RST CO IN NS RE IPC IPD PUB AN"
_CODES = frozenset(_ALL_CODES.split())
_AFTER_TEXT = frozenset({"ART", "CT", "RF", "CX", "CO", "IN", "NS", "RE", "IPC", "IPD", "PUB", "AN", "CR"})
_FREE_CODES = frozenset({"ART", "CT", "RF", "CX", "PUB", "CR"})  # whose values are words
_FIELD = re.compile(r"(?P<code>[A-Z]{2,3})(?:(?:[ \t]{1,20}|\s{0,4}\|\s{0,4})(?P<value>\S.*)|[ \t|]{0,8})")
_LENGTH = re.compile(r"[\d,.]{1,9} (?:words|Wörter|mots|palabras|woorden|parole|palavras|слов\w?)", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?: (?:GMT|UTC|[AP]M))?")
_SOURCE_CODE = re.compile(r"[A-Z][A-Z0-9]{2,9}")
_PAGE = re.compile(r"(?:[A-Z]{0,3}\d{1,4}[A-Z]?|Page \d{1,5}(?: of \d{1,5})?(?: © .{0,80})?|\d{1,4})", re.IGNORECASE)
_LANGUAGES = {
    "english": "en", "englisch": "en", "anglais": "en", "german": "de", "deutsch": "de", "french": "fr",
    "français": "fr", "spanish": "es", "español": "es", "italian": "it", "italiano": "it", "russian": "ru",
    "русский": "ru", "dutch": "nl", "nederlands": "nl", "portuguese": "pt", "polish": "pl", "turkish": "tr",
    "ukrainian": "uk", "chinese": "zh", "japanese": "ja", "arabic": "ar", "swedish": "sv", "norwegian": "no",
}  # fmt: skip
MAX_TITLE_LINES = 3  # above the length, in the layout without codes
MAX_DATA_LINES = 9  # between the length and the text


def may_be_export(text: str) -> bool:
    """Return, fast, whether a text has one of the marks of these exports."""
    return _MAY_BE.search(text) is not None


def count_articles(groups: Sequence[Group]) -> int:
    """Return how many articles the fields of a text belong to."""
    codes = [_read_code(line)[0] for group in groups for line in group]
    return min(codes.count("HD"), codes.count("PD"))


def split_articles(groups: Sequence[Group]) -> list[Article]:
    """Return the articles of an export; empty if the groups have no lines that end one, or not the data of one."""
    # Blank lines separate paragraphs, but in some exports every line is followed by one.
    lines = [line for group in groups for line in [*group, ""]]
    ends = [i for i, line in enumerate(lines) if _END.fullmatch(line)]
    starts = [0, *(end + 1 for end in ends)]
    chunks = [lines[start : end + 1] for start, end in zip(starts, ends, strict=False)]
    if any(count_articles([chunk]) > 1 for chunk in chunks):  # the end of one of them is missing
        return []
    articles = [_read_coded(chunk) or _read_shown(chunk, is_first=i == 0) for i, chunk in enumerate(chunks)]
    if ends and (rest := _read_coded([*lines[starts[-1] :], ""]) or _read_shown([*lines[starts[-1] :], ""], False)):
        articles.append(rest)  # cut off before its end
    found = [article for article in articles if article.get("date") and article.get("text")]
    return articles if 2 * len(found) > len(articles) else []


def _read_code(line: str) -> tuple[str, str]:
    """Return the field code at the beginning of a line, and the rest of the line; else ("", line)."""
    match = _FIELD.fullmatch(line)
    return (match["code"], (match["value"] or "").strip(" |")) if match and match["code"] in _CODES else ("", line)


def _read_coded(lines: Sequence[str]) -> Article:
    """Read an article with field codes; empty if it has none."""
    fields: dict[str, list[str]] = {}
    current = ""
    for line in lines:
        code, value = _read_code(line)
        if _END.fullmatch(line):
            code = "AN"
        # In the text, a line such as "IN 2018" is no field.
        in_text = current in ("LP", "TD")
        is_field = code and (not in_text or code == "TD" or (code in _AFTER_TEXT and _is_data(code, value)))
        if is_field and (code not in fields or code in ("LP", "TD")):
            current = code
            fields.setdefault(code, []).append(value)
        elif current:
            fields[current].append(line)
    if not {"HD", "PD"} <= fields.keys():
        return {}
    plain = {code: " ".join(" ".join(values).split()) for code, values in fields.items()}
    text = [*fields.get("LP", []), "", *fields.get("TD", [])]
    return {
        "title": plain["HD"],
        "byline": clean_byline(plain.get("BY", "")),
        "section": plain.get("SE", ""),
        "date": find_date(plain["PD"]),
        "outlet": plain.get("SN", ""),
        "language": _LANGUAGES.get(plain.get("LA", "").casefold(), ""),
        "id": end["id"] if (end := _END.fullmatch(lines[-1])) else "",
        "text": _join_paragraphs(text),
    }


def _is_data(code: str, value: str) -> bool:
    """Return whether the value of a field after the text is data, and not the rest of a sentence: "IN 2018 …"."""
    is_list = " : " in value or "|" in value or not value or value.isupper()
    return is_list or (code in _FREE_CODES and not value[:1].islower()) or (code == "AN" and "ocument" in value)


def _read_shown(lines: Sequence[str], is_first: bool) -> Article:
    """Read an article as Factiva shows it: title, byline, length, date, outlet, code, language, rights, text."""
    lines = [line for line in lines if not line.startswith("Page ") or not _PAGE.fullmatch(line)]
    filled = [i for i, line in enumerate(lines) if line]
    length = next((i for i in filled if _LENGTH.fullmatch(lines[i])), None)
    if length is None:
        return {}
    above = [lines[i] for i in filled if i < length]
    if is_first:
        above = above[-MAX_TITLE_LINES:]  # below the cover
    byline = above.pop() if len(above) > 1 and (is_byline(above[-1]) or _is_name(above[-1])) else ""
    title = above[-1] if above else ""
    section = above[0] if len(above) > 1 and not is_first else ""
    data = [i for i in filled if i > length][:MAX_DATA_LINES]
    dated = next((i for i in data if is_date_line(lines[i])), None)
    if dated is None:
        return {}
    below = [i for i in data if i > dated and not _CLOCK.fullmatch(lines[i])]
    outlet = lines[below[0]] if below else ""
    start = _find_text(lines, below[1:], (below[0] if below else dated) + 1)
    languages = (_LANGUAGES.get(lines[i].casefold(), "") for i in below if i < start)
    end = _END.fullmatch(lines[-1])
    return {
        "title": title,
        "byline": clean_byline(byline),
        "section": section,
        "date": find_date(lines[dated]),
        "outlet": outlet,
        "language": next(filter(None, languages), ""),
        "id": end["id"] if end else "",
        "text": _join_paragraphs(lines[start:-1]),
    }


def _find_text(lines: Sequence[str], places: Sequence[int], start: int) -> int:
    """Return where the text begins: after the rights, the language, and codes and pages of the outlet."""
    for i in places:
        line = lines[i]
        if COPYRIGHT.match(line):
            return i + 1
        if line.casefold() in _LANGUAGES or _SOURCE_CODE.fullmatch(line) or _PAGE.fullmatch(line):
            start = i + 1
    return start


def _is_name(line: str) -> bool:
    words = line.split()
    return 2 <= len(words) <= 4 and all(word[:1].isupper() and word[1:].islower() for word in words)


def _join_paragraphs(lines: Sequence[str]) -> str:
    """Join the lines of a text to paragraphs, which blank lines separate."""
    paragraphs: list[str] = []
    group: list[str] = []
    for line in [*lines, ""]:
        if line:
            group.append(line)
        elif group:
            paragraphs += join_lines(group)
            group = []
    return "\n\n".join(paragraphs)
