"""Find the date of a document in a line of its own, a dateline, a title, a web address or a file name."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from narratives.parse.date_strings import (
    PERIOD_DATE,
    UPDATED,
    DateMatch,
    FirstPart,
    ParsedDate,
    cache_for_a_day,
    find_dates,
    find_day_and_month,
    load_month_names,
    load_weekday_names,
    parse_date,
    select_published,
)

MAX_LINE_CHARACTERS = 150
MAX_TITLE_CHARACTERS = 400
MAX_DATELINE_CHARACTERS = 120
MAX_SIDE_WORDS = 6  # of a name, section or place beside the date in its line

_CAPITAL = "A-ZÀ-ÖØ-ÞА-ЯЁ"
_NAME = rf"[{_CAPITAL}][\w.’'-]*"
_PLACE = rf"{_NAME}(?:[ ,]{{1,3}}(?:{_NAME}|[io]n|of|and|de|del|la|le|upon|am|sur|the)){{0,4}}"
_PUBLISHED = (
    r"(?:first |originally |date )?(?:published|posted|issued|released)(?: online| date)?|publication date"
    r"|release date|date of (?:publication|issue|release)|pub ?date|publié\w*|public(?:ado|ada)|pubblicat[oa]"
    r"|veröffentlicht|erschienen|опубликован\w*|дата публикации"
)
_LABEL = re.compile(
    rf"\b(?:{_PUBLISHED}|date|dated|created|(?:as )?(?:delivered|prepared for delivery|given)|adopted|signed|as of"
    r"|(?:press|news|media) (?:release|statement)(?: (?:no\.?|number|№|#) ?[\w/-]{1,12})?|for immediate release"
    r"|communiqué de presse|pressemitteilung|comunicado de prensa|пресс-релиз"
    r"|datum|stand|fecha|data|дата)(?![\w-])",
    re.IGNORECASE,
)
_PUBLISHED_LABEL = re.compile(rf"\b(?:{_PUBLISHED})\b", re.IGNORECASE)
# A line with one of these words dates something else, such as a meeting or a deadline.
_OTHER_EVENT = re.compile(
    r"©|\(c\)|\b(?:copyright|next|upcoming|deadline|due|expir\w+|valid|until|till|by the end|before|after|since"
    r"|born|died|accepted|received|submitted|effective|regist\w+|tickets?|comments?|version|anniversary|today"
    r"|tomorrow|yesterday|meetings?|events?|sessions?|starts?|begins?|ends?|opens?|closes?|will|save|join|calendar"
    r"|schedul\w+|correct\w+|corrigend\w+|retrieved|accessed|archived|viewed|downloaded|printed|embargo\w*)\b",
    re.IGNORECASE,
)
# What a line says of its latest change by this word is a stamp of the program that keeps the page.
_CHANGED = re.compile(r"\b(?:modified|changed|edited|revised|reviewed|geändert|modifié\w*|изменен\w*)\b", re.I)
_TIME = re.compile(
    r"\b\d{1,2}(?:[:.h]\d{2}){1,2}(?:[.,]\d{1,9})?(?:\s?[ap]\.?\s?m\b\.?)?|\b\d{1,2}\s?[ap]\.?\s?m\b\.?"
    r"|\b(?:uhr|hrs|hours|noon|local time|(?:\w+ ){0,2}time)\b",
    re.IGNORECASE,
)
_ZONE = re.compile(r"\b(?:[A-Z]{1,4}T|UTC|GMT|MSK|Z)\b(?:\s?[+-]\d{1,2}(?::?\d{2})?)?|(?<!\d)[+-]\d{2}:?\d{2}\b")
_SMALL_WORD = re.compile(r"(?:on|at|am|le|el|il|the|vom|den|um|à|of|in|г|года|в|от)", re.IGNORECASE)
_SMALL_END = re.compile(rf"\b{_SMALL_WORD.pattern}\s$", re.IGNORECASE)
_AUTHOR = re.compile(
    rf"(?:by|von|par|por|автор)\s(?:{_NAME}|\w+)(?:[ ,]{{1,2}}(?:{_NAME}|and|und|et|de|van|von)){{0,5}}", re.I
)
_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_SENTENCE_END = re.compile(r"[.!?…][\"”’»)]?$")
_NUMBER_AND_DATE = re.compile(r"(?:№\s?)?\d{1,5}-(\d{2})-(\d{2})-(\d{4})")  # of the Russian foreign ministry
_PUNCTUATION = " \t,.:;–—-/()[]|"


class DateLine(NamedTuple):
    """A line that does nothing but date the text.

    `is_update` says that the line only gives the day of a later change, `is_stamp` that it does so as programs do.
    `is_bare` is false if another piece of information, such as a name, stands beside the date.
    """

    parsed: ParsedDate
    is_published: bool = False
    is_update: bool = False
    is_stamp: bool = False
    is_bare: bool = True


def read_date_line(text: str) -> DateLine | None:
    """Read a line such as `Moscow, 15 May 2018` or `Published: May 15, 2018, 3:40 p.m.`; None if it is another line.

    Besides the date, the line may have a label, a place, an author, a time, a weekday, and short pieces between bars.
    """
    is_short = 4 <= len(text) <= MAX_LINE_CHARACTERS
    return _read_short_line(text) if is_short and _DIGIT.search(text) else None


@cache_for_a_day
def _read_short_line(text: str) -> DateLine | None:
    if number := _NUMBER_AND_DATE.fullmatch(text):
        return DateLine(parse_date("-".join(reversed(number.groups()))))
    matches = find_dates(text)
    if matches:
        return _read_whole_date_line(text, matches)
    core = _clean(_LABEL.sub(" ", UPDATED.sub(" ", _drop_times(text))))
    if find_day_and_month(core) == core or (PERIOD_DATE.fullmatch(core) and any(c.isalpha() for c in core)):
        return _make_line(text, parse_date(core))
    parsed = parse_date(core)
    return _make_line(text, parsed) if len(parsed.date) == 7 and len(core.split()) <= 2 else None


def _make_line(text: str, parsed: ParsedDate, is_bare: bool = True) -> DateLine:
    is_update, is_stamp = bool(UPDATED.search(text)), bool(_CHANGED.search(text))
    return DateLine(parsed, bool(_PUBLISHED_LABEL.search(text)), is_update, is_stamp, is_bare)


def _read_whole_date_line(text: str, matches: list[DateMatch]) -> DateLine | None:
    chosen = select_published(text, matches)
    if len({match.parsed.date for match in chosen}) > 1:
        ends = [0, *(match.end for match in matches)]
        chosen = [m for m, end in zip(matches, ends, strict=False) if _PUBLISHED_LABEL.search(text[end : m.start])]
    if len({match.parsed.date for match in chosen}) != 1:
        return None
    rest = text
    for match in reversed(matches):
        rest = f"{rest[: match.start]}\0{rest[match.end :]}"
    rest = _drop_times(rest)
    if _OTHER_EVENT.search(UPDATED.sub(" ", rest)):
        return None
    is_bare = True
    for part in re.split(r"[|•·;\n]", rest):
        side = _judge_part(part)
        if side is None:
            return None
        is_bare = is_bare and side
    line = _make_line(text, chosen[0].parsed, is_bare)
    # Only a line in which every date is that of a change is an update.
    starts = [0, *(match.end for match in matches)]
    dated = any(not UPDATED.search(text[start : m.start]) for m, start in zip(matches, starts, strict=False))
    return line._replace(is_update=False, is_stamp=False) if dated else line


def _judge_part(part: str) -> bool | None:
    """Return whether a part of a line has only dates and labels, or None if it has something else than a short name."""
    plain = _LABEL.sub(" ", UPDATED.sub(" ", part))
    if "\0" not in plain:
        words = _clean(plain).split()
        is_name = len(words) <= MAX_SIDE_WORDS and not _SENTENCE_END.search(plain.strip())
        return (not words) if is_name and not re.search(r"\d{4}", plain) else None
    before, *between, after = plain.split("\0")
    if any(_clean(text) for text in between):
        return None
    is_set_off = _SMALL_END.sub("", before).rstrip().endswith((",", ":", "–", "—", "-", "/", "("))
    before, after = _clean(before), _clean(after)
    if any(side and not _is_name(side) for side in (before, after)):
        return None
    if before and not is_set_off and " " not in before and not _GENRE.fullmatch(before):
        return None
    return not before or (is_set_off and len(before.split()) <= 4 and not _GENRE.search(before))


def _is_name(text: str) -> bool:
    if len(text.split()) > MAX_SIDE_WORDS:
        return False
    return bool(re.fullmatch(_PLACE, text) or _AUTHOR.fullmatch(text) or _GENRE.fullmatch(text))


def _drop_times(text: str) -> str:
    """Remove clock times, time zones and weekdays."""
    weekdays = load_weekday_names()
    text = _ZONE.sub(" ", _TIME.sub(" ", text))
    return _WORD.sub(lambda word: " " if word[0].casefold() in weekdays else word[0], text)


def _clean(text: str) -> str:
    """Return the text without punctuation and small words at its ends."""
    words = text.split()
    while words and (not words[0].strip(_PUNCTUATION) or _SMALL_WORD.fullmatch(words[0].strip(_PUNCTUATION))):
        words.pop(0)
    while words and (not words[-1].strip(_PUNCTUATION) or _SMALL_WORD.fullmatch(words[-1].strip(_PUNCTUATION))):
        words.pop()
    return " ".join(words).strip(_PUNCTUATION)


class Dateline(NamedTuple):
    """The dateline before the first words of a report: its date as written, and the agency or ""."""

    date: str
    agency: str


_BEFORE_DATE = re.compile(rf"[/(]?{_PLACE}(?:\s?,\s|\s[–—-]\s|\s\()")
_AFTER_DATE = re.compile(
    r"(?:\s(?:г\.|года))?\)?\s{0,2}[.,:]?\s{0,2}(?P<agency>/[\w\s-]{1,40}/|\([\w\s./-]{1,40}\)|[–—-])"
)
_CAPITALS_BEFORE = re.compile(rf"[{_CAPITAL}][{_CAPITAL}\s.’'-]+,\s")
_PLACE_AFTER = re.compile(rf"\s?[,|]?\s?\(?{_PLACE}\)?\s?[–—-]\s")


def find_dateline(text: str) -> Dateline | None:
    """Find the dateline with which a paragraph begins, such as `MINSK, April 12. /TASS/`.

    After place and date there is an agency or a dash; without these, the place is in capitals and the date whole.
    """
    head = text[:MAX_DATELINE_CHARACTERS]
    return _find_dateline_at_head(head) if _DIGIT.search(head) else None


@cache_for_a_day
def _find_dateline_at_head(head: str) -> Dateline | None:
    matches = find_dates(head)
    if matches:
        start, end = matches[0].start, matches[0].end
        written = head[start:end]
    elif written := find_day_and_month(head):
        start = head.index(written)
        end = start + len(written)
    else:
        return None
    before, after = head[:start], head[end:]
    if _BEFORE_DATE.fullmatch(before) and (following := _AFTER_DATE.match(after)):
        return Dateline(written.rstrip("."), following["agency"].strip("/()–—- "))
    is_opening = _CAPITALS_BEFORE.fullmatch(before) and re.match(r"[.:]\s\S", after)
    if matches and (is_opening or (not before and _PLACE_AFTER.match(after))):
        return Dateline(written, "")
    return None


# Kinds of texts. A whole date in the title of one is that of the text, unless words join it to something else.
_GENRE = re.compile(
    r"\b(?:statements?|remarks|comments?|speech(?:es)?|address|interview|(?:press |daily |background |white house )?"
    r"(?:briefings?|gaggle)|(?:press|news|media) (?:conference|release|availability|statement|note|point|stakeout)"
    r"|(?:press|conference) call|teleconference|communiqu[eé]|declaration|message|greetings?|letter|transcript"
    r"|read-?out|report|minutes|debates?|hearing|session|sitting|question time|questions|answers|q ?& ?a|meeting|talks"
    r"|discussion|testimony|bulletin|newsletter|digest|review|update|news|reply|response|article|column|editorial"
    r"|toast|eulogy|proclamation|announcement|notice|agenda|town hall|roundtable|exchange with reporters|lecture"
    r"|conversation|брифинг\w*|заявлени\w+|выступлени\w+|интервью|комментари\w+|пресс-конференци\w+|реч[ьи]"
    r"|обращени\w+|стенограмм\w+|сообщени\w+|rede|erklärung|pressemitteilung|pressekonferenz|ansprache"
    r"|discours|déclaration|point de presse|conférence de presse|entretien|allocution|discurso|declaración"
    r"|comunicado|rueda de prensa|conferencia de prensa|entrevista)\b",
    re.IGNORECASE,
)
# Texts that are an event of one day: a date beside them is the day of the event.
_HELD = re.compile(
    r"\b(?:briefings?|gaggle|(?:press|news|media) (?:conference|availability)|hearing|session|sitting|question time"
    r"|(?:press|conference) call|teleconference|interview|q ?& ?a|town hall|roundtable|debates?|брифинг\w*"
    r"|пресс-конференци\w+|pressekonferenz|conférence de presse|rueda de prensa)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:on|about|regarding|concerning|marking|against|after|following|since|over|into|о|об|über|sur|sobre)\b", re.I
)
_REMEMBERING = re.compile(
    r"\b(?:anniversar\w+|commemorat\w+|remembrance|remember\w*|in memory|memorial|victims|tribute|centenary|jubilee"
    r"|years (?:since|after|ago|on)|history|historic\w*|годовщин\w+|юбиле\w+|памят\w+|jahrestag|anniversaire"
    r"|aniversario)\b",
    re.IGNORECASE,
)
_DATED_BY_WORD = re.compile(r"\b(?:dated|delivered|held|given|recorded|published|released|issued)(?: on)?$", re.I)
_PREPOSITION = re.compile(r"\b(?P<word>of|for|on|from|vom|du|del?|от|за)(?: the)?$", re.IGNORECASE)
_YEAR_WORD = re.compile(r"^\s?(?:года|год|г\.|г\b)")
_OPENERS, _CLOSERS = ",;:|([–—-/•·", ",;:|)]–—-/•·.#"


def find_title_date(title: str, first: FirstPart = "") -> tuple[str, ParsedDate] | None:
    """Find the whole date in a title as (as written, parsed); None if there is none.

    A date that may only be the subject, as in `Statement on the Anniversary of 9 May 1945`, is refused with the reason.
    """
    title = title[:MAX_TITLE_CHARACTERS]
    matches = find_dates(title, first)
    if not matches:
        return None
    own = [match for match in matches if _is_own_date(title, match)]
    chosen = own or matches
    written = title[chosen[0].start : chosen[0].end]
    if own and len({match.parsed.date for match in own}) == 1:
        return written, own[0].parsed
    return written, ParsedDate("", "names a day that may be its subject")


def _is_own_date(title: str, match: DateMatch) -> bool:
    """Return whether a date in a title is that of the text, by the words and signs around it."""
    genre = _GENRE.search(title)
    before, after = title[: match.start], title[match.end :]
    if genre is None or _REMEMBERING.search(f"{before} {after}") or re.search(r"\d\s?[-–—/&]\s?$", before):
        return False
    before = _drop_times(before).rstrip(" .")
    after = _YEAR_WORD.sub("", _drop_times(after)).strip()
    if not before.strip(_PUNCTUATION):
        return True
    is_held, is_about = bool(_HELD.search(before)), bool(_ABOUT.search(before))
    ends = not after or after[0] in _CLOSERS or (is_held and not is_about)
    if before[-1] in _OPENERS:
        return ends and (is_held or not is_about or not after.strip(_PUNCTUATION))
    if _DATED_BY_WORD.search(before):
        return True
    if preposition := _PREPOSITION.search(before):
        head = before[: preposition.start()].rstrip()
        if preposition["word"].casefold() in ("on", "for"):
            return bool(_HELD.search(head)) and not _ABOUT.search(head)
        kinds = list(_GENRE.finditer(head))
        return bool(kinds) and kinds[-1].end() == len(head) and not _ABOUT.search(head)
    # Without a sign before it: `Press Briefing by Mike McCurry 5/15/98`.
    return ends and not is_about and (before[-1].isalnum() or before[-1] in ")]") and genre.start() < match.start


_URL_YEAR = re.compile(r"(?:19|20)\d{2}")
_URL_MONTH = re.compile(r"0[1-9]|1[0-2]")
_URL_DAY = re.compile(r"0[1-9]|[12]\d|3[01]")
_URL_WHOLE = re.compile(
    r"t?(?P<y>(?:19|20)\d{2})(?P<s>[-_.]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<d>0[1-9]|[12]\d|3[01])(?:[-_]\D.*|_\d.*)?"
)
_URL_YEAR_MONTH = re.compile(r"(?P<y>(?:19|20)\d{2})[-_](?P<m>0[1-9]|1[0-2])")


def find_url_date(url: str) -> str:
    """Find the date in the folders of a web address: `/2018/05/15/`, `/2018/may/15/`, `/20180515/`, `/2018/05/`.

    A number inside a name, such as `api-2018-05-notes`, is no date.
    """
    try:
        parts = urlsplit(url).path.split("/")
    except ValueError:
        return ""
    month_only = ""
    for part, following, third in zip(parts, [*parts[1:], ""], [*parts[2:], "", ""], strict=False):
        if whole := _URL_WHOLE.fullmatch(part):
            return f"{whole['y']}-{whole['m']}-{whole['d']}"
        if year_month := _URL_YEAR_MONTH.fullmatch(part):
            month_only = month_only or f"{year_month['y']}-{year_month['m']}"
        if not _URL_YEAR.fullmatch(part):
            continue
        named = load_month_names().get(following.casefold()) if following.isalpha() else None
        month = f"{named:02d}" if named else following
        day = third.zfill(2) if third.isdigit() else ""
        if _URL_DAY.fullmatch(day) and len(third) <= 2 and _URL_MONTH.fullmatch(month.zfill(2)):
            return f"{part}-{month.zfill(2)}-{day}"
        if _URL_MONTH.fullmatch(month):
            month_only = month_only or f"{part}-{month}"
    return month_only


_NAME_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{2}([-_. ]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"
    r"|\d{1,2}([-_. ])\d{1,2}\2(?:19|20)\d{2})(?!\d)"
)
_NAME_MONTH = re.compile(r"(?<!\d)(?<!\d-)(?:19|20)\d{2}[-_](?:0[1-9]|1[0-2])(?![\d-])")


def find_name_date(name: str) -> str:
    """Find the one date in the name of a file, such as `2018-03-19 talks.txt` or `20180319_talks.txt`; else ""."""
    name = unquote(name)
    written = [match[0] for match in _NAME_DATE.finditer(name)] or [m[0] for m in _NAME_MONTH.finditer(name)]
    parsed = {parse_date(re.sub(r"[_ ]", "-", text)) for text in written}
    spelled = {match.parsed for match in find_dates(re.sub(r"[_]", " ", name))} if not parsed else set()
    found = {p for p in parsed | spelled if p.date and not p.readings}
    return found.pop().date if len(found) == 1 else ""
