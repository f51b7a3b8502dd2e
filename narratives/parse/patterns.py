"""Patterns and constants of the room in one place: what a page's furniture, dates and roles look like."""

from __future__ import annotations

import re


def _make_word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- sizes ----------------------------------------------------------------------------------------------
MAX_TITLE_WORDS = 40
MAX_HEADING_WORDS = 20
MIN_REPEATED_TITLE_WORDS = 3
WRAPPED_LINE_LENGTHS = (45, 100)  # characters a line, between which a block counts as hard-wrapped
MIN_CONTENTS_LINES = 3
MIN_REPEATED_SHARE = 0.4  # share of a list's lines that return as headings: then it is a table of contents
MIN_QUOTED_SHARE = 0.5
MAX_QUOTED_PARAGRAPHS = 8  # paragraphs over which one unclosed quotation may stretch

# --- furniture ------------------------------------------------------------------------------------------
BOILERPLATE = re.compile(
    r"""(?:
      (?:READ\ MORE|READ\ ALSO|SEE\ ALSO|WATCH\ MORE|Read\ more|Read\ also|See\ also|Also\ on\ [\w.]+)\s*:.*
    | (?:Think\ your\ friends\ would\ be\ interested\?\s*)?Share\ this\ (?:story|article|page|post)\b.{0,40}
    | (?:Поделиться|Распечатать|Share|Print|Print\ version|Share\ on\ \w+|Tweet|Email)\s*:?
    | (?:All\ news|Podcasts?|Advertisement|Subscribe|Comments|Back\ to\ top|Table\ of\ contents)\s*:?
    | \d{1,2}:\d{1,2}(?::\d{2})?
    | [\d\s,.]+(?:views?|просмотр\w*)
    | This\ email\ address\ is\ being\ protected\ from\ spambots\..*
    | (?:tel|phone|fax)?[.:\s]*[+(]?\(?\d[\d\s()/;+.-]{7,}
    )""",
    re.VERBOSE,
)
ICON_WORD = re.compile(r"icon", re.IGNORECASE)
MIN_ICONS = 5
FOOTER_HEADING = re.compile(
    r"(?:popular articles|most popular|most read|related (?:articles|news|stories)|latest news)\s*:?",
    re.IGNORECASE,
)
MIN_PROSE_PARAGRAPHS, MIN_PROSE_WORDS = 3, 15  # paragraphs, and words in each, after which no footer stands
# A sentence of thanks, greeting or good wishes; a paragraph of nothing else says nothing.
COURTESY = re.compile(
    r"(?:(?:once again|friends|colleagues),? )?(?:thank you|thanks)\b.{0,60}"
    r"|good (?:morning|afternoon|evening|day)\b.{0,60}"
    r"|(?:all the best|good luck|goodbye|good health|congratulations|welcome)\b.{0,40}",
    re.IGNORECASE,
)
MAX_COURTESY_WORDS = 25
# The end of a turn that asks: a question mark, and at most thanks or "please" after it.
QUESTION_WITH_THANKS = re.compile(
    r"\?[\"”’'»)\]]*(?:\s+(?:thank you|thanks|please|spasibo|go ahead)\b[^?]{0,60})*\s*(?:\([^()]*\)\s*)?$",
    re.IGNORECASE,
)
MAX_QUESTION_WORDS = 250  # up to which a guest's turn that ends by asking is a question as a whole
OMISSION = re.compile(r"[<\[(]\s*(?:…|\.{3})\s*[>\])]")
SECTION_COLON = re.compile(
    r"(?:answers? to (?:media |journalists[’'] )?questions|questions? and answers?|q\s*&\s*a)\b.{0,40}:",
    re.IGNORECASE,
)
CONTENTS_LABEL = re.compile(r"(?:table of )?contents\s*:?", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?…:;,][\"”“’'»)\]]*$")
FULL_STOP = re.compile(r"(?<![.…])[.!?][\"”’)\]]*$")  # not of a text cut off
SENTENCE_BREAK = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\b[A-Z])[.!?][”\"’]?\s+[A-Z“\"—–]")

# --- dates ----------------------------------------------------------------------------------------------
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
# Without one of these, words and numbers are read by no guess: a quarter is no month.
MONTH_NAME = re.compile(
    rf"\b(?:{_MONTH}|янв\w*|фев\w*|мар(?:та?)?|апр\w*|ма[йяе]|июн\w*|июл\w*|авг\w*|сен\w*|окт\w*|ноя\w*"
    r"|дек\w*)(?![^\W\d_])",
    re.IGNORECASE,
)
# Seasons, quarters, halves and weeks: no month is known, but the year is. Atomic, so that no text takes long.
PERIOD_DATE = re.compile(
    r"""(?:(?>(?:
      [12]\d{3}(?:-?(?:Q[1-4]|H[12]|W\d\d(?:-?\d)?)|г\w*)?
    | Q[1-4](?:[-/]?[12]\d{3})? | H[12](?:[-/]?[12]\d{3})? | [1-4]Q | [12]H
    | quarter | half | semester | trimester | term | season | year | week | w\d{1,2}
    | spring | summer | autumn | fall | winter | early | mid | late | beginning | middle | start | end
    | first | second | third | fourth | last | 1st | 2nd | 3rd | 4th
    | of | the | in | about | around | circa | ca?
    | год\w* | гг? | весн\w* | лет[оа]м? | осен\w* | зим\w* | квартал\w* | полугоди\w*
    | начал\w* | кон\w+ | середин\w*
    | перв\w+ | втор\w+ | треть\w* | четв[её]рт\w+ | во? | около | I{1,3} | IV | [1-4](?:-?[йя]|-?е)?
    )(?!\w))[\s.,~–-]*)+""",
    re.VERBOSE | re.IGNORECASE,
)
# Several days, part of a month, several months: the month or the year is known, but no day.
VAGUE_DATE = re.compile(
    rf"\b\d{{1,2}}\s*(?:[-–—]|to|and)\s*\d{{1,2}}\b|\b(?:early|mid|late|beginning|middle|end|начал\w*|кон\w+"
    rf"|середин\w*)\b|\b{_MONTH}\s*(?:[-–—/]|to|and)\s*{_MONTH}(?![^\W\d_])",
    re.IGNORECASE,
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"[12]\d{3}"
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_TIME = r"\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s*[ap]\.?m\.?)?(?:\s*\(?[A-Z]{2,4}\)?)?"
FULL_DATE = rf"(?:{_DAY}\s+{_MONTH},?\s+{_YEAR}|{_MONTH}\s+{_DAY},?\s+{_YEAR})"
DAY_MONTH = rf"(?:{_DAY}\s+{_MONTH}|{_MONTH}\s+{_DAY})"
HEADER_DATE = re.compile(
    rf"(?:(?:first\s+)?(?:published|posted|updated|date)\s*(?:on|at)?\s*:?\s*)?(?:{_WEEKDAY}\.?,?\s+)?"
    rf"(?:{_TIME}[\s,|–-]+)?"
    rf"(?P<date>{FULL_DATE}|{DAY_MONTH}|{_MONTH}\s+{_YEAR}|{_YEAR}-\d\d-\d\d|\d\d?\.\d\d?\.{_YEAR})"
    rf"(?:[T\s,|–-]+(?:at\s+)?{_TIME})?",
    re.IGNORECASE,
)
TITLE_DATE = re.compile(rf"(?:^|[\s,(–-])(?P<date>{FULL_DATE})\)?\.?$", re.IGNORECASE)
DATELINE = re.compile(
    r"^[/(]?(?P<place>[A-Z][\w.’'-]*(?:[ ,]+(?:[A-Z][\w.’'-]*|[io]n|de|del|la|upon)){0,4})\s*,\s+"
    rf"(?P<date>(?i:{FULL_DATE}|{DAY_MONTH}))\s*[.,]?\s*(?P<agency>/[\w\s-]+/|\([\w\s-]+\)|[–—-])"
)
URL_DATE = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[/-](?P<m>0[1-9]|1[0-2])(?:[/-](?P<d>0[1-9]|[12]\d|3[01]))?(?!\d)")

# --- outlets --------------------------------------------------------------------------------------------
OUTLET_HOSTS = {
    "kremlin.ru": "Kremlin",
    "rt.com": "RT",
    "tass.com": "TASS",
    "tass.ru": "TASS",
    "mid.ru": "Ministry of Foreign Affairs of Russia",
}
# As sites name themselves, and what the corpus calls them.
OUTLET_ALIASES = {
    "rt international": "RT",
    "rt en": "RT",
    "russia today": "RT",
    "tass russian news agency": "TASS",
    "president of russia": "Kremlin",
    "the ministry of foreign affairs of the russian federation": "Ministry of Foreign Affairs of Russia",
    "ministry of foreign affairs of the russian federation": "Ministry of Foreign Affairs of Russia",
    "the ministry of foreign affairs of russia": "Ministry of Foreign Affairs of Russia",
    "united states department of state": "U.S. Department of State",
    "state.gov": "U.S. Department of State",
}
AGENCIES = {"tass": "TASS", "reuters": "Reuters", "ap": "AP", "afp": "AFP", "interfax": "Interfax"}
SPOKEN_TO_RT = re.compile(r"\b(?:to|tells?|told|with) RT\b")
MINISTRY_BRIEFING = re.compile(r"^Briefing by (?:the )?(?:Russian )?(?:Deputy )?Foreign Ministry Spokes\w+")
# On these sites a bare role means the holder of this one.
HOME_ROLES = {
    ("Kremlin", "president"): "President of Russia",
    ("Kremlin", "head of state"): "President of Russia",
}

# --- languages ------------------------------------------------------------------------------------------
LANGUAGE_CODES = _make_word_set(
    "en ru uk be de fr es it pt nl pl cs sk sl hr sr bg ro hu el tr az hy ka kk ky uz tg fa ar he hi ur"
    " bn zh ja ko vi th id ms sv no da fi et lv lt sq mk"
)
NON_LATIN_LANGUAGES = _make_word_set("ru uk be bg sr mk el hy ka kk ky tg fa ar he hi ur bn zh ja ko th")
MIN_LANGUAGE_WORDS = 8
MIN_LANGUAGE_CONFIDENCE = 0.5
MAX_LANGUAGE_SAMPLE = 4000  # characters from which a document's language is told
LANGUAGE_NAMES = {"english": "en", "russian": "ru", "german": "de", "french": "fr", "spanish": "es"}

# --- copies ---------------------------------------------------------------------------------------------
SHINGLE_WORDS = 5
MIN_COPY_JACCARD = 0.8
MINHASH_PERMUTATIONS = 128
MINHASH_SEED = 20161110

WORD = re.compile(r"\w+(?:[’'-]\w+)*")


def count_words(text: str) -> int:
    """Number of words; hyphens and apostrophes do not split a word."""
    return sum(1 for _ in WORD.finditer(text))
