"""Find who signed a text or a quotation: `— Ann Lee, minister` under it, `By Ann Lee, Minister` above it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.mentions import find_mention_after, is_role_head, tokenise
from narratives.parse.attribution.quotations import compute_quoted_share, find_quote_spans, is_quote_mark
from narratives.parse.segmentation import Block, count_words

MAX_SIGNATURE_WORDS = 20
MIN_WHOLE_QUOTE = 0.9  # share of a paragraph's words from which it is a quotation and nothing else
FIRST_PERSON = re.compile(r"\b(?:we|our|ours|us|ourselves|I|my|mine|me|myself)\b(?!\.)")

_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = rf"(?:{_MONTHS}\s\d{{1,2}}(?:,?\s\d{{4}})?|\d{{1,2}}\s{_MONTHS}(?:\s\d{{4}})?|\d{{4}}-\d\d-\d\d)"
_DASH = re.compile(r"(?:[—–―~-]|--|---)\s*(?=[^\W\d_]|@)")
_HANDLE_TAIL = re.compile(rf"\s*\(@\w{{1,30}}\)(?:[\s,|·•–—-]{{0,3}}{_DATE})?[\s.]*$")
_DATE_TAIL = re.compile(rf",?\s(?:on\s)?{_DATE}[\s.]*$")
_INNER_DASH = re.compile(r"(?<=[.!?…”\"'’)\w])\s(?:—|–|―|--|-)\s?(?=[A-ZÀ-Þ@])")
_BYLINE = re.compile(r"(?:written\s)?by:?\s+(?P<who>\S.{2,150})", re.IGNORECASE | re.DOTALL)
_OWN_WORDS_TITLE = re.compile(r"\b(?:speech|remarks|address|statement|lecture|open letter|op-ed)\b", re.IGNORECASE)
_VALEDICTION = re.compile(
    r"(?:yours (?:sincerely|faithfully|truly)|(?:sincerely|respectfully|faithfully)(?: yours)?|signed|kind regards"
    r"|best regards|(?:best|warm) wishes|with (?:respect|gratitude))[\s,.:]*",
    re.IGNORECASE,
)


def mark_signatures(blocks: Sequence[Block]) -> tuple[list[Block], str]:
    """Return the blocks, with the `signature` of quotations set, and who signed the text as a whole, or "".

    Lines that are nothing but a signature become headings, because they state nothing. A line below a quotation
    signs it if it begins with a dash, if it is the last line of a block quote, or if such lines follow the
    quotations of a page and do not precede them. The text as a whole is signed below, or by the byline of
    somebody who holds a post.
    """
    names: dict[int, str] = {}
    lines: set[int] = set()
    are_below = _find_first_name_line(blocks)
    for i in range(1, len(blocks)):
        signature = _read_line_below(blocks, i, are_below)
        if signature and i - 1 not in lines:
            lines.add(i)
            names.update((j, signature) for j in _iterate_signed_blocks(blocks, i, lines))
    author, author_lines = _find_author(blocks)
    lines |= author_lines
    marked = [
        replace(block, kind="heading") if i in lines else replace(block, signature=names[i]) if i in names else block
        for i, block in enumerate(blocks)
    ]
    return marked, author


def split_signature(block: Block) -> tuple[str, str]:
    """Return the words and the signature of a text such as `We shall stay. — Ann Lee (@annlee) May 15, 2018`.

    The signature is "" unless the text is a block quote, or ends with the name of an account.
    """
    text = block.text
    has_handle = _HANDLE_TAIL.search(text) is not None
    if not (block.hint == "quote" or has_handle):
        return text, ""
    dashes = list(_INNER_DASH.finditer(text))
    if not dashes:
        return text, ""
    signature = clean_signature(text[dashes[-1].end() :])
    is_signed = signature and (has_handle or text[dashes[-1].start() - 1] in ".!?…”\"'’)")
    return (text[: dashes[-1].start()], signature) if is_signed else (text, "")


def clean_signature(line: str) -> str:
    """Return a signature without dash, account name and date, or "" if it names no person."""
    plain = _DATE_TAIL.sub("", _HANDLE_TAIL.sub("", _DASH.sub("", line.strip(), count=1))).strip(" .")
    if not plain or count_words(plain) > MAX_SIGNATURE_WORDS or plain.endswith((":", "?", "!")):
        return ""
    tokens = tokenise(plain, [])
    mention = find_mention_after(tokens, 0)
    if mention is None or not (len(mention.name) > 1 or (mention.name and mention.post and not mention.loose)):
        return ""
    last = mention.name[-1].casefold()
    after = len(mention.post) + len(mention.name)
    is_person = last not in lexicon.NON_NAME_WORDS | lexicon.IMPERSONAL_NOUNS and not last.isdigit()
    return plain if is_person and (after >= len(tokens) or tokens[after].text in (",", "(", "/", "|")) else ""


def _read_line_below(blocks: Sequence[Block], i: int, are_below: bool) -> str:
    """Return the signature in block `i`, or "" if it does not sign the quotation before it."""
    block, before = blocks[i], blocks[i - 1]
    if (
        block.kind == "title"
        or block.label
        or not is_quotation(before)
        or count_words(block.text) > MAX_SIGNATURE_WORDS
    ):
        return ""
    if _DASH.match(block.text):
        # Somebody unnamed signs too: the words are not those of the speaker before.
        plain = _DASH.sub("", block.text, count=1)
        is_unnamed = plain[:1].islower() and count_words(plain) <= MAX_SIGNATURE_WORDS // 2
        by_account = _HANDLE_TAIL.search(plain)
        return clean_signature(block.text) or (
            plain[: by_account.start()] if by_account else plain if is_unnamed else ""
        )
    is_last_of_quote = block.hint == before.hint == "quote" and (i + 1 == len(blocks) or blocks[i + 1].hint != "quote")
    is_line_below = are_below and not block.hint and block.kind == "heading" and before.hint != "quote"
    return clean_signature(block.text) if is_last_of_quote or is_line_below else ""


def _find_first_name_line(blocks: Sequence[Block]) -> bool:
    """Return whether the names on a page follow the quotations: the first one does."""
    for before, block in itertools.pairwise(blocks):
        if block.kind == "heading" and clean_signature(block.text):
            return is_quotation(before)
    return False


def is_quotation(block: Block) -> bool:
    """Return whether a block is a quotation as a whole: a block quote, or in quotation marks."""
    if block.kind == "title":
        return False
    if block.hint == "quote":
        return True
    if not is_quote_mark(block.text[:1]):
        return False
    return compute_quoted_share(block.text, find_quote_spans([block.text])[0]) >= MIN_WHOLE_QUOTE


def _iterate_signed_blocks(blocks: Sequence[Block], i: int, lines: set[int]) -> Iterator[int]:
    """Yield the blocks that a signature signs: the whole block quote, or the paragraphs of one quotation."""
    for j in range(i - 1, -1, -1):
        if j in lines or not is_quotation(blocks[j]):
            return
        yield j
        before = blocks[j - 1] if j else blocks[j]
        is_open = before.hint != "quote" and not is_quote_mark(before.text[-1:])
        if not (blocks[j].hint == before.hint == "quote" or is_open):
            return


def _find_author(blocks: Sequence[Block]) -> tuple[str, set[int]]:
    """Return who signed the whole text, and the places of the lines that say so."""
    bodies = [block.text for block in blocks if block.kind == "body" and count_words(block.text) > MAX_SIGNATURE_WORDS]
    bodies = bodies or [block.text for block in blocks if block.kind == "body"]
    titles = [block.text for block in blocks if block.kind == "title"]
    if not any(_is_in_first_person(text) for text in bodies) and not any(map(_OWN_WORDS_TITLE.search, titles)):
        return "", set()
    for i, block in enumerate(blocks[:4]):
        byline = _BYLINE.fullmatch(block.text) if block.kind != "title" and not block.label else None
        if byline and (who := clean_signature(byline["who"])):
            is_own = any(_OWN_WORDS_TITLE.search(title) for title in titles)
            return (who, {i}) if is_own or _has_post(who) else ("", set())
    return _find_letter_author(blocks)


def _find_letter_author(blocks: Sequence[Block]) -> tuple[str, set[int]]:
    """Return who signed below the text: after `Yours sincerely`, or with a post, in the same line or the last one."""
    last = len(blocks) - 1
    for i in range(last, max(last - 2, 0), -1):
        who = clean_signature(blocks[i].text) if not blocks[i].label and not is_quotation(blocks[i - 1]) else ""
        if not who:
            continue
        is_closed = _VALEDICTION.fullmatch(blocks[i - 1].text) is not None
        below = {j for j in range(i + 1, last + 1) if count_words(blocks[j].text) <= MAX_SIGNATURE_WORDS}
        has_post = _has_post(who) or any(_has_post(blocks[j].text) for j in below)
        if len(below) == last - i and (is_closed or has_post) and blocks[i].hint != "quote":
            return who, {i, *below, *({i - 1} if is_closed else ())}
    return "", set()


def _has_post(who: str) -> bool:
    words = [word.strip(",.") for word in who.split()]
    return any(map(is_role_head, words)) and not any(w.casefold() in lexicon.INTERVIEWER_HEADS for w in words)


def _is_in_first_person(text: str) -> bool:
    at = 0
    for start, end in find_quote_spans([text])[0]:
        if FIRST_PERSON.search(text[at:start]):
            return True
        at = end
    return FIRST_PERSON.search(text[at:]) is not None
