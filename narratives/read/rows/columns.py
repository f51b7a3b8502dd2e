"""Guess from the name of a column which field it holds, to offer it; nothing is taken from a guess."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

COLUMN_FIELDS = ("text", "date", "speaker", "outlet", "title", "url", "id")
MIN_NAME_RATIO = 0.8  # difflib's ratio from which two names count as the same, to allow for typing errors
MIN_TYPO_LENGTH = 4  # characters
EXACT, SYNONYM, WITH_FIELD, WITH_SYNONYM, TYPING_ERROR = 1.0, 0.95, 0.9, 0.85, 0.8


class _FieldNames(NamedTuple):
    """The words for a field, as one word each, and the words that may stand beside one of them."""

    words: frozenset[str]
    foreign: frozenset[str]
    beside: frozenset[str]

    @classmethod
    def make(cls, words: str, foreign: str, beside: str) -> _FieldNames:
        """Make the names from lists of words."""
        return cls(frozenset(words.split()), frozenset(foreign.split()), frozenset(beside.split()))


# In tables of news archives, crawlers, parliaments and social media. Other words beside one of these make it something
# else: the date of a download, the id of a party, the length of a text.
_KINDS = "article doc document post tweet status message item record row story news statement speech page content entry"
COLUMN_NAMES: Mapping[str, _FieldNames] = {
    "text": _FieldNames.make(
        "text body content contents statement transcript paragraph fulltext articletext message speech maintext"
        " bodytext",
        "texte texto testo tekst текст inhalt volltext contenu contenido conteudo conteúdo contenuto"
        " corps cuerpo corpo treść obsah szöveg besedilo tekstas metin içerik innehåll innhold sisältö teksti"
        " содержание",
        f"full main raw clean cleaned plain original press release of the en english complete entire {_KINDS}",
    ),
    "date": _FieldNames.make(
        "date datetime timestamp published publishedat datepublished pubdate posted created day when",
        "datum fecha data дата tarih dato päivämäärä päiväys dátum datums kuupäev veröffentlichungsdatum"
        " erscheinungsdatum publikationsdatum",
        "publication pub publish release released issue issued posting sitting debate session broadcast sent creation"
        " utc gmt iso original full local time at on of the de publicación publicació publicação pubblicazione"
        f" publikacji публикации yayın {_KINDS}",
    ),
    "speaker": _FieldNames.make(
        "speaker author authors person who spokesperson byline saidby speakername politician orator sender username"
        " user member mp creator",
        "autor autora autore auteur auteure redner rednerin sprecher sprecherin orador orateur oratore locuteur"
        " författare forfatter talare taler yazar konuşmacı mówca řečník szónok govornik kirjoittaja puhuja"
        " автор оратор спикер выступающий",
        "name full of the by screen display",
    ),
    "outlet": _FieldNames.make(
        "outlet source publisher publication media medium site website domain newspaper paper journal channel agency"
        " broadcaster pubtitle",
        "quelle zeitung fuente medio periódico journal média fonte jornal giornale testata źródło gazeta zdroj noviny"
        " kaynak gazete kilde avis källa tidning bron krant lähde источник издание сми",
        "name title news of the web media",
    ),
    "title": _FieldNames.make(
        "title headline heading subject",
        "titel titre título titulo titolo títol tytuł titulek nadpis názov başlık tittel rubrik überschrift otsikko cím"
        " naslov заголовок название",
        f"main of the press release {_KINDS}",
    ),
    "url": _FieldNames.make(
        "url link address href uri permalink webpage weblink hyperlink",
        "lien enlace collegamento odkaz odnośnik bağlantı länk lenke linkki ссылка адрес",
        f"source web full canonical original final of the to {_KINDS}",
    ),
    "id": _FieldNames.make(
        "id identifier guid uid uuid docid documentid key number",
        "kennung nummer nr numéro número numero numer номер",
        f"unique str of the transcript press release paragraph {_KINDS} text",
    ),
}  # fmt: skip
_CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
_PLAIN_OPTION = re.compile(r"[\w=.:/-]+")
_WORD = re.compile(r"[^\W\d_]+")


def score_column_name(field: str, column: str) -> float:
    """Score how well a column's name fits a field, 0 to 1."""
    words = [word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", column))]
    names = COLUMN_NAMES[field]
    name, known = "".join(words), names.words | names.foreign
    if name == field:
        return EXACT
    if name in known:
        return SYNONYM
    if len(words) == 1:
        return _score_typing_error(field, name)
    if known & set(words) and known | names.beside >= set(words):
        return WITH_FIELD if field in words else WITH_SYNONYM
    return 0.0


def has_field_word(field: str, column: str) -> bool:
    """Return whether a word of a column's name is one for the field."""
    words = {word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", column))}
    return bool(words & (COLUMN_NAMES[field].words | COLUMN_NAMES[field].foreign))


def _score_typing_error(field: str, name: str) -> float:
    if any(name in names.words | names.foreign for names in COLUMN_NAMES.values()):
        return 0.0
    close = difflib.get_close_matches(name, (field, *sorted(COLUMN_NAMES[field].words)), n=1, cutoff=MIN_NAME_RATIO)
    is_close = bool(close) and len(name) >= MIN_TYPO_LENGTH and abs(len(close[0]) - len(name)) <= 1
    return TYPING_ERROR if is_close else 0.0


def propose_columns(columns: Sequence[str], fits: Mapping[tuple[str, str], float] | None = None) -> dict[str, str]:
    """Propose a column for each field: field to column, no column twice.

    `fits` has the score of each pair of field and column, by default that of its name. An exact name wins over a
    synonym, and a synonym over a similar name.
    """
    scores = fits or {
        (field, column): score_column_name(field, column) for field in COLUMN_FIELDS for column in columns
    }
    pairs = [(scores[field, column], field, column) for field in COLUMN_FIELDS for column in columns]
    proposed: dict[str, str] = {}
    # The sort is stable: of equal scores an exact name wins, then the earlier field and column.
    for score, field, column in sorted(pairs, key=lambda pair: (-pair[0], pair[2] != pair[1])):
        if score >= TYPING_ERROR and field not in proposed and column not in proposed.values():
            proposed[field] = column
    return {field: proposed[field] for field in COLUMN_FIELDS if field in proposed}


def format_map_options(columns: Sequence[str], used: Mapping[str, str]) -> str:
    """Return the options `--map` that may fit the columns, for the fields that `used` lacks; "" if none fit."""
    free = [column for column in columns if column not in used.values()]
    proposed = {field: column for field, column in propose_columns(free).items() if field not in used}
    return " ".join(f"--map {_quote(f'{field}={column}')}" for field, column in proposed.items())


def _quote(option: str) -> str:
    return option if _PLAIN_OPTION.fullmatch(option) else shlex.quote(option)


def describe_map_hint(columns: Sequence[str], used: Mapping[str, str]) -> str:
    """Return the hint of an error about a table without a column for the text."""
    options = format_map_options(columns, used)
    if "text=" in options:
        return f"Name the column that has the text with --map text=COLUMN. These may fit: {options}"
    return "Name the column that has the text with --map text=COLUMN."
