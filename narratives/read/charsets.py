"""Guess the 8-bit encoding of a text by the letters and words of its candidate readings.

Most bytes of such a text are ASCII, and a few stand for accented letters. Each candidate encoding gives another
reading of these bytes. A reading is as good as its words are likely in a language that is written in that encoding,
by a letter model (trigrams with Witten-Bell smoothing) of the words that jusText and the CLDR (through Babel) have
for the language. charset-normalizer, which judges without regard to neighbouring letters, is asked only for what no
candidate explains: the multi-byte encodings of East Asia.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache

from charset_normalizer import from_bytes

_WESTERN = "fr de es pt it ca gl nl da nb sv fi is ga"
_CENTRAL = "pl cs sk hu ro sl hr sq"
_BALTIC = "lt lv et"
_SLAVIC = "ru uk bg mk be"
_LATIN_LANGUAGES = (_WESTERN, _CENTRAL, _BALTIC, "tr")
# The languages of each encoding, and the nats by which its reading must be better than the one in Windows-1252. A
# rare encoding needs more evidence. Latin-1 is not listed, because Windows-1252 contains it.
CANDIDATES: Mapping[str, tuple[str, float]] = {
    "cp1252": (_WESTERN, 0.0),
    "iso8859_15": (_WESTERN, 4.0),
    "mac_roman": (_WESTERN, 8.0),
    "cp850": (_WESTERN, 8.0),
    "cp1250": (_CENTRAL, 3.0),
    "iso8859_2": (_CENTRAL, 4.0),
    "cp852": (_CENTRAL, 10.0),
    "mac_latin2": (_CENTRAL, 12.0),
    "cp1254": ("tr", 3.0),
    "cp1257": (_BALTIC, 8.0),
    "cp1251": (_SLAVIC, 2.0),
    "koi8_r": (_SLAVIC, 3.0),
    "koi8_u": (_SLAVIC, 5.0),
    "cp866": (_SLAVIC, 8.0),
    "iso8859_5": (_SLAVIC, 6.0),
    "mac_cyrillic": (_SLAVIC, 8.0),
    "cp1253": ("el", 2.0),
    "cp1255": ("he", 2.0),
    "cp1256": ("ar fa", 2.0),
}
_LATIN = frozenset(name for name, (languages, _) in CANDIDATES.items() if languages in _LATIN_LANGUAGES)
NAMES: Mapping[str, str] = {
    "utf-16-le": "UTF-16 without a byte order mark",
    "utf-16-be": "UTF-16 without a byte order mark",
    "cp1252": "Windows-1252 (Western European)",
    "iso8859_15": "ISO 8859-15 (Western European)",
    "mac_roman": "Mac Roman",
    "cp850": "DOS 850 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "iso8859_2": "ISO 8859-2 (Central European)",
    "cp852": "DOS 852 (Central European)",
    "mac_latin2": "Mac Central European",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8_r": "KOI8-R (Russian)",
    "koi8_u": "KOI8-U (Ukrainian)",
    "cp866": "DOS 866 (Cyrillic)",
    "iso8859_5": "ISO 8859-5 (Cyrillic)",
    "mac_cyrillic": "Mac Cyrillic",
    "cp1253": "Windows-1253 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
}
# Other letters occur only in foreign words of the word lists. The letters of a language count as seen a few times.
_ALPHABETS: Mapping[str, str] = {
    "fr": "àâæçéèêëîïôœùûü", "de": "äöüßé", "es": "áéíñóúü", "pt": "ãáàâçéêíóôõú", "it": "àèéìíòóù",
    "ca": "àçèéíïòóúü", "gl": "áéíñóúü", "nl": "éëïöüèó", "da": "åæøé", "nb": "åæøéòô", "sv": "åäöé", "fi": "äöå",
    "is": "áæðéíóöúýþ", "ga": "áéíóú", "pl": "ąćęłńóśźż", "cs": "áčďéěíňóřšťúůýž", "sk": "áäčďéíĺľňóôŕšťúýž",
    "hu": "áéíóöőúüű", "ro": "ăâîşţ", "sl": "čšž", "hr": "čćđšž", "sq": "ëç", "tr": "çğıöşüâî", "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž", "et": "äõöüšž",
}  # fmt: skip
_STOP_LISTS: Mapping[str, str] = {
    "fr": "French", "de": "German", "es": "Spanish", "pt": "Portuguese", "it": "Italian", "ca": "Catalan",
    "gl": "Galician", "nl": "Dutch", "da": "Danish", "nb": "Norwegian_Bokmal", "sv": "Swedish", "fi": "Finnish",
    "is": "Icelandic", "ga": "Irish", "pl": "Polish", "cs": "Czech", "sk": "Slovak", "hu": "Hungarian",
    "ro": "Romanian", "sl": "Slovenian", "hr": "Croatian", "sq": "Albanian", "tr": "Turkish", "lt": "Lithuanian",
    "lv": "Latvian", "et": "Estonian", "ru": "Russian", "uk": "Ukrainian", "bg": "Bulgarian", "mk": "Macedonian",
    "be": "Belarusian", "el": "Greek", "he": "Hebrew", "ar": "Arabic", "fa": "Persian",
}  # fmt: skip
_CLDR_LISTS = ("territories", "languages", "currencies", "months", "days", "time_zones", "scripts")
MAX_ACCENTED_WORDS, MAX_PLAIN_WORDS = 3000, 800  # of one language, with and without letters beyond ASCII
MAX_TOKENS = 300  # words with bytes beyond ASCII that decide
MAX_SAMPLE_BYTES = 262_144
# Mean log-likelihood of a byte beyond ASCII below which no reading is accepted. Accents are rare in Latin words.
MIN_LATIN_SCORE, MIN_OTHER_SCORE = -22.0, -6.0
MAX_LATIN_SHARE = 0.6  # share of the bytes beyond ASCII among letters, up to which the text may be Latin
MIN_OTHER_SHARE, FOREIGN_SCRIPT_COST = 0.1, 6.0  # the cost applies below this share
NEW_LANGUAGE_COST = 4.0  # nats by which a further language must improve the reading of a file
ALPHABET_COUNT = 4
# Log-likelihoods of what is no letter: after a space or punctuation, and between two letters.
_TYPOGRAPHY = dict.fromkeys("“”‘’«»„–—…\xa0", -7.0)
_SYMBOLS = dict.fromkeys("‚‹›·•€£§©®™°½¼¿¡\xad№ªº²³±×", -9.0)
_BETWEEN_LETTERS = {"’": -8.0, "‘": -9.0, "—": -11.0, "–": -11.0, "…": -9.0, "\xad": -14.0}
_OTHER_SYMBOL, _SYMBOL_AFTER_LETTER, _SYMBOL_BETWEEN_LETTERS, _NO_CHARACTER = -14.0, -16.0, -22.0, -40.0
_TRADE_MARKS = "©®™"
_CLOSING = "»”’"
_MISPLACED_QUOTE = _MISPLACED_CAPITAL = -7.0
_OTHER_SCRIPT = -18.0
# A word with bytes beyond ASCII, or a symbol with the word beside it.
_TOKEN = re.compile(rb"[0-9]?[A-Za-z]{0,20}[\x80-\xff][A-Za-z\x80-\xff]{0,40}")
_WORD = re.compile(r"[^\W\d_]+")
_VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøœùúûüýąęőűăıėįųūāēīěůаеиоуыэюяєіїёαεηιουωάέήίόύώ")
_MULTI_BYTE = ("gb", "big5", "euc", "shift_jis", "cp932", "cp949", "cp950", "johab", "hz")
_EDGE = "^"


def guess_charset(data: bytes, has_line_feeds: bool = True) -> str:
    """Guess the encoding of a text that is neither UTF-8 nor UTF-16; returns a name for `bytes.decode`, or "".

    Words without accents decide nothing. Where all readings are equally good, Windows-1252 is preferred, or Mac Roman
    if the lines end with a carriage return alone, as only old Macs and Excel for Mac write them.
    """
    sample = data[:MAX_SAMPLE_BYTES]
    tokens = sorted({match[0] for match in _TOKEN.finditer(sample)})[:MAX_TOKENS]
    beyond = sum(byte >= 0x80 for token in tokens for byte in token)
    share = sum(byte >= 0x80 for byte in sample) / max(sum(byte >= 0x80 or chr(byte).isalpha() for byte in sample), 1)
    scores = {}
    for name in _select_candidates(tokens, share):
        languages, cost = CANDIDATES[name]
        if name not in _LATIN and share < MIN_OTHER_SHARE:
            cost += FOREIGN_SCRIPT_COST
        if not has_line_feeds:
            cost = 0.0 if name.startswith("mac") else cost + CANDIDATES["mac_roman"][1]
        scores[name] = _score_readings([token.decode(name, "replace") for token in tokens], languages) - cost
    best = max(scores, key=lambda name: scores[name], default="")
    least = MIN_LATIN_SCORE if best in _LATIN else MIN_OTHER_SCORE
    if best and scores[best] >= least * beyond:
        return best
    match = from_bytes(sample).best()
    return match.encoding if match is not None and match.encoding.startswith(_MULTI_BYTE) else ""


def _select_candidates(tokens: Sequence[bytes], share: float) -> list[str]:
    """Return the candidates whose script fits; `share` is that of the bytes beyond ASCII among letters.

    Only Latin words mix ASCII letters with others, and only in Latin texts are most letters ASCII.
    """
    mixed = sum(any(chr(byte).isalpha() for byte in token if byte < 0x80) for token in tokens)
    is_latin, is_other = share <= MAX_LATIN_SHARE, 4 * mixed <= 3 * len(tokens)
    return [name for name in CANDIDATES if (is_latin if name in _LATIN else is_other)]


def _score_readings(words: Sequence[str], languages: str) -> float:
    """Return the log-likelihood of the words, in as few of the languages as explain them."""
    scores = {language: [_score_word(word, language) for word in words] for language in languages.split()}
    best: list[float] = []
    total = 0.0
    while scores:
        joined = {language: list(map(max, best, own)) if best else own for language, own in scores.items()}
        chosen = max(joined, key=lambda language: sum(joined[language]))
        gain = sum(joined[chosen]) - sum(best) - (NEW_LANGUAGE_COST if best else 0.0)
        if best and gain <= 0:
            break
        total, best = total + gain, joined[chosen]
        del scores[chosen]
    return total


def _score_word(word: str, language: str) -> float:
    """Return the log-likelihood of the characters beyond ASCII in a word, and of the letters after them."""
    model = _load_model(language)
    lower = "".join(c.lower()[:1] for c in word)
    score, first, second = 0.0, _EDGE, _EDGE
    for i, character in enumerate(lower):
        if character.isalpha():
            if not (first + second + character).isascii():
                score += model.get_log_probability(first, second, character)
            if second != _EDGE and _get_script(second) != _get_script(character):
                score += _OTHER_SCRIPT
            if not character.isascii() and i and word[i].isupper() and word[i - 1].islower():
                score += _MISPLACED_CAPITAL
            first, second = second, character
            continue
        if not (first + second).isascii():
            score += model.get_log_probability(first, second, _EDGE)
        if not character.isascii():
            score += _score_symbol(lower, i)
        first = second = _EDGE
    return score if (first + second).isascii() else score + model.get_log_probability(first, second, _EDGE)


def _score_symbol(word: str, i: int) -> float:
    character, before, after = word[i], word[:i][-1:], word[i + 1 : i + 2]
    if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cn", "Co"):
        return _NO_CHARACTER
    misplaced = _MISPLACED_QUOTE if character in _CLOSING and not before and after.isalpha() else 0.0
    if before.isalpha() and after.isalpha():
        return _BETWEEN_LETTERS.get(character, _SYMBOL_BETWEEN_LETTERS)
    if character in _SYMBOLS and before.isalpha() and character not in _TRADE_MARKS:
        return _SYMBOL_AFTER_LETTER
    return misplaced + (_TYPOGRAPHY | _SYMBOLS).get(character, _OTHER_SYMBOL)


def _get_script(letter: str) -> int:
    """Return a number for the script: Latin, Greek, Cyrillic, Hebrew, Arabic, others."""
    return next((i for i, end in enumerate("\u0250\u0400\u0530\u0600\u0780") if letter < end), -1)


class _LetterModel:
    """Likelihoods of a letter after two others, from the words of a language.

    What was not seen after a letter is as likely as a vowel, a consonant or the end of a word is there, times the
    frequency of the letter: the Spanish ñ stands before a vowel, even where the word is not in the list.
    """

    def __init__(self, words: Iterable[str], alphabet: str) -> None:
        self._counts: Counter[str] = Counter()  # of strings of one to three letters
        self._contexts: Counter[str] = Counter()  # of those of one or two, where another follows
        self._followers: Counter[str] = Counter()  # the number of different letters that follow
        self._classes: Counter[tuple[str, str]] = Counter()  # of pairs of a letter, or a class, and a class
        self._class_sizes: Counter[str] = Counter()
        for letter in alphabet:
            self._counts[letter] += ALPHABET_COUNT
            self._class_sizes[_classify(letter)] += ALPHABET_COUNT
        for word in words:
            padded = f"{_EDGE}{_EDGE}{word}{_EDGE}"
            for i in range(2, len(padded)):
                self._add(padded[i - 2 : i], padded[i - 1], padded[i])
        self.get_log_probability = lru_cache(maxsize=None)(self._compute)

    def _add(self, pair: str, before: str, letter: str) -> None:
        for context in (pair, before):
            self._followers[context] += not self._counts[context + letter]
            self._counts[context + letter] += 1
            self._contexts[context] += 1
        kind = _classify(letter)
        self._counts[letter] += 1
        self._classes[before, kind] += 1
        self._classes[_classify(before), kind] += 1
        self._contexts[_classify(before)] += 1
        self._class_sizes[kind] += 1

    def _compute(self, first: str, second: str, letter: str) -> float:
        kind = _classify(letter)
        share = (self._classes[_classify(second), kind] + 1) / (self._contexts[_classify(second)] + 3)
        share = (self._classes[second, kind] + share) / (self._contexts[second] + 1)
        likelihood = share * (self._counts[letter] + 0.02) / (self._class_sizes[kind] + 1)
        for context in (second, first + second):
            weight = self._followers[context] + 1
            likelihood = (self._counts[context + letter] + weight * likelihood) / (self._contexts[context] + weight)
        return math.log(likelihood)


def _classify(letter: str) -> str:
    return "(edge)" if letter == _EDGE else "(vowel)" if letter in _VOWELS else "(consonant)"


@cache
def _load_model(language: str) -> _LetterModel:
    alphabet = _ALPHABETS.get(language, "")
    return _LetterModel(_collect_words(language, alphabet), alphabet)


def _collect_words(language: str, alphabet: str) -> list[str]:
    """Return words of a language with letters beyond ASCII: frequent ones, and names from the CLDR."""
    from babel import Locale  # loaded only when an encoding is guessed
    from justext import get_stoplist

    locale = Locale(language)
    texts = chain_strings([getattr(locale, name) for name in _CLDR_LISTS])
    # The older encodings have the Romanian letters with a cedilla.
    cedillas = str.maketrans("șț", "şţ")
    words = {word.lower().translate(cedillas) for text in texts for word in _WORD.findall(text)}
    words |= {word.lower().translate(cedillas) for word in get_stoplist(_STOP_LISTS[language])}
    kept = (
        word
        for word in words
        if len(word) > 1
        and word.isalpha()
        and (not alphabet or all(letter.isascii() or letter in alphabet for letter in word))
    )
    accented: list[str] = []
    plain: list[str] = []
    for word in sorted(kept):
        (plain if word.isascii() else accented).append(word)
    return [*_thin_out(accented, MAX_ACCENTED_WORDS), *_thin_out(plain, MAX_PLAIN_WORDS)]


def _thin_out(words: list[str], most: int) -> list[str]:
    return words[:: len(words) // most + 1]


def chain_strings(value: object) -> Iterator[str]:
    """Iterate over all strings in nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from chain_strings(item)
    elif isinstance(value, Mapping) or hasattr(value, "values"):
        yield from chain_strings(list(value.values()))
