"""Find the blocks of the main text: trafilatura (Barbaresi 2021) chooses them, and its choice is corrected.

It drops lists outside a wrapper, paragraphs that are one link, and what an accordion hides; it keeps forms and menus
that it does not know. Both show in the page: what it dropped stands between the blocks that it kept, and what it should
not have kept stands in an element with a telling name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import dropwhile, groupby, islice, takewhile

from lxml.html import HtmlElement

from narratives.read.html.page import (
    HtmlBlock,
    TextRun,
    extract_visible_text,
    is_hidden,
    iterate_blocks,
    join_runs,
    make_word_set,
)

MIN_SENTENCE_WORDS = 5  # for a block to count as a sentence without other evidence
MAX_ELEMENTS = 30_000  # real pages have a few thousand
MAX_CHARACTERS = 2_000_000
MIN_LINE_WORDS = 10  # average length from which lines between single breaks are paragraphs
MIN_TITLE_LETTERS = 8  # for a block that the title of the window repeats to be the headline
MAX_ASIDE_SHARE = 0.5  # share of the words of the text from which elements of one kind contain it, whatever their name
MAX_LINKED_SHARE = 0.5  # share of the letters of a list item that are links, from which it belongs to a menu
MAX_NAME_WORDS = 6  # of a text in bold that can be the name of a speaker
MIN_BOLD_NAMES = 2  # names in bold that recur, from which a page is an interview
MAX_COMPARED_CHARACTERS = 80  # of a quotation, by which its repetition on a page is found
SENTENCE_END = re.compile(r"[.!?…:;,][\"”“’'»)\]]*$")
_STATEMENT = re.compile(r"[.…][\"”“’'»)\]]*$")
_FULL_SENTENCE = re.compile(r"[.!?…][\"”“’'»)\]]*$")
_NAVIGATION_TAGS = make_word_set("nav header footer aside form figure")
_LIST_TAGS = make_word_set("ul ol li dl dt dd")
_TEXT_TAGS = make_word_set("html body main article")
_ASIDE_TAGS = make_word_set("nav aside form")
_LETTERS = re.compile(r"\w+")
_NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # lxml reads these, but sets none
_CASE_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ASIDE_NAME = re.compile(
    r"""(?:^|[-_])(?:
      cookies? | consent | gdpr | newsletters? | sign-?up | subscri(?:be|ption) | paywall | log-?in
    | sidebar | menu | breadcrumbs? | pop-?up | modal
    | related | recommend(?:ed|ations?)? | more-(?:stories|news|articles) | (?:read|see)-(?:more|also) | also-read
    | about(?:-\w+)? | boilerplate | share | sharing | social | promo | advert(?:isement)?s? | ads? | sponsor(?:ed)?
    | comments? | disqus | author-(?:box|bio|info|card) 
    | e?-?mail-(?:this|form|article|friend|page) | (?:send|tell)-(?:to-)?(?:a-)?friend
    )(?:$|[-_])""",
    re.VERBOSE | re.IGNORECASE,
)


def extract_main_blocks(tree: HtmlElement) -> Iterator[HtmlBlock]:
    """Iterate over the blocks of the main text of a page."""
    body: list[HtmlBlock] = []
    if not is_too_large(tree):
        body = _extract_with_trafilatura(tree, recall=False) or _extract_with_trafilatura(tree, recall=True)
    page = list(iterate_blocks(tree))
    if len(body) == 1:
        longest = max((len(join_runs(block.runs)) for block in page), default=0)
        if len(join_runs(body[0].runs)) > longest:
            body = []  # trafilatura's last resort: the whole page in one piece, with menus
    blocks = _correct_blocks(body, page) if body else []
    if not any(_is_sentence(block, SENTENCE_END) for block in blocks):
        blocks = _extract_sentence_blocks(tree) or blocks
    names = _find_bold_names(blocks)
    for block in blocks:
        yield from _split_bold_name(block) if _get_bold_start(block) in names else _split_at_lines(block)


def is_too_large(tree: HtmlElement) -> bool:
    """Return whether trafilatura, with dozens of passes over a page, would take minutes."""
    sizes = [len(element.text or "") + len(element.tail or "") for element in tree.iter()]
    return len(sizes) > MAX_ELEMENTS or sum(sizes) > MAX_CHARACTERS


def _extract_with_trafilatura(tree: HtmlElement, recall: bool) -> list[HtmlBlock]:
    from trafilatura import bare_extraction  # takes a quarter of a second, which a build of tables does not need

    copy = deepcopy(tree)  # because it changes the tree
    _keep_sources(copy)
    document = bare_extraction(
        copy, include_comments=False, include_formatting=True, include_tables=True, favor_recall=recall
    )
    body = getattr(document, "body", None)
    # Hidden elements are already removed, and `head` is trafilatura's tag for a heading.
    return list(iterate_blocks(body, lambda element: not isinstance(element.tag, str))) if body is not None else []


def _keep_sources(tree: HtmlElement) -> None:
    """Turn the sources of block quotes into paragraphs `— Ann Lee`, in place; trafilatura drops `footer` and `figure`.

    A pull quote, whose words the page has elsewhere too, stays in its figure.
    """
    quotes = list(tree.iter("blockquote"))
    whole = extract_visible_text(tree) if quotes else ""
    for quote in quotes:
        sources = [element for element in quote.iter("footer", "cite") if _is_set_apart(element, quote)]
        figure = quote.getparent()
        if figure is not None and figure.tag == "figure" and figure.find(".//img") is None and not sources:
            words = extract_visible_text(quote)
            if whole.count(words[:MAX_COMPARED_CHARACTERS]) > 1:
                continue
            sources = figure.findall("figcaption")
            figure.tag = "div"
            for source in sources:
                quote.append(source)
        for source in sources:
            name = _NOT_IN_XML.sub("", extract_visible_text(source)).lstrip("—–- ")
            tail = source.tail
            source.clear()
            source.tag, source.text, source.tail = "p", f"— {name}" if name else "", tail


def _is_set_apart(element: HtmlElement, quote: HtmlElement) -> bool:
    """Return whether an element stands at the end of a block quote, and not within one of its sentences."""
    parent = element.getparent()
    return element.tag == "footer" or (parent is quote and not (element.tail or "").strip())


def _correct_blocks(body: Sequence[HtmlBlock], page: Sequence[HtmlBlock]) -> list[HtmlBlock]:
    """Return the blocks that trafilatura chose, without those beside the text, and with those lost between them."""
    places = _locate_blocks(body, page)
    text = _MainText(page, {place for place in places if place is not None})
    corrected: list[tuple[HtmlBlock, HtmlBlock]] = []  # with the block of the page, which has the links
    last = text.start
    for block, place in zip(body, places, strict=True):
        if place is None:
            corrected.append((block, block))
            continue
        corrected += ((page[i], page[i]) for i in range(last + 1, place) if text.lacks(i))
        last = max(last, place)
        if not text.is_beside(place):
            corrected.append((block, page[place]))
    corrected += ((page[i], page[i]) for i in text.iterate_last_list())
    return list(_drop_menus(corrected))


def _drop_menus(blocks: Sequence[tuple[HtmlBlock, HtmlBlock]]) -> Iterator[HtmlBlock]:
    """Drop links that stand together, or after the text; a single one in the text may be the name of a speaker."""
    groups = [(is_menu, list(group)) for is_menu, group in groupby(blocks, lambda pair: _is_menu(pair[1]))]
    for i, (is_menu, group) in enumerate(groups):
        links = sum(run.linked and bool(_LETTERS.search(run.text)) for _, source in group for run in source.runs)
        if not is_menu or (links == 1 and i < len(groups) - 1):
            yield from (block for block, _ in group)


def _is_menu(block: HtmlBlock) -> bool:
    return (not block.kind or block.element.tag == "tr") and _is_menu_item(block)


def _locate_blocks(body: Sequence[HtmlBlock], page: Sequence[HtmlBlock]) -> list[int | None]:
    """Return the place in the page of each block of the body, or None for those that are divided otherwise.

    Blocks with the same text are taken in order.
    """
    places: dict[str, deque[int]] = defaultdict(deque)
    for i, block in enumerate(page):
        places[_make_key(block)].append(i)
    return [places[key].popleft() if places.get(key := _make_key(block)) else None for block in body]


def _make_key(block: HtmlBlock) -> str:
    return "".join(_LETTERS.findall(join_runs(block.runs)))


def _find_title_key(page: Sequence[HtmlBlock]) -> str:
    titles = page[0].element.getroottree().iter("title") if page else ()
    return "".join(_LETTERS.findall(next((title.text or "" for title in titles), "")))


def _is_title(block: HtmlBlock, title: str) -> bool:
    key = _make_key(block)
    return len(key) >= MIN_TITLE_LETTERS and key in title


_Kind = tuple[str, str]  # tag and class of an element


class _MainText:
    """The blocks of a page, and where among them the main text is.

    `start` is the place of the headline, or of the block before the text if there is none before the text.
    """

    def __init__(self, page: Sequence[HtmlBlock], kept: set[int]) -> None:
        self._page, self._kept = page, kept
        self._keys = {_make_key(page[i]) for i in kept}
        self._asides: dict[HtmlElement, frozenset[_Kind]] = {}
        words: Counter[_Kind] = Counter()
        for i in kept:
            for kind in self._get_asides(page[i].element):
                words[kind] += len(join_runs(page[i].runs).split())
        most = MAX_ASIDE_SHARE * sum(len(join_runs(page[i].runs).split()) for i in kept)
        self._text_kinds = {kind for kind, count in words.items() if count > most}
        main = [i for i in kept if not self.is_beside(i)]
        self._parents = {page[i].element.getparent() for i in main}
        self._outer = {element.getparent() for element in self._parents if element is not None} - {None}
        first = min(main, default=0)
        title = _find_title_key(page)
        headlines = (i for i in range(first) if page[i].element.tag == "h1" or _is_title(page[i], title))
        self.start, self._end = max(headlines, default=first - 1), max(main, default=-1)

    def is_beside(self, place: int) -> bool:
        """Return whether a block is in an element that is no part of the text."""
        return not self._get_asides(self._page[place].element) <= self._text_kinds

    def _get_asides(self, element: HtmlElement) -> frozenset[_Kind]:
        """Return the kinds of the elements around a block that are no part of the text by their tag or name."""
        kinds = self._asides.get(element)
        if kinds is None:
            parent = element.getparent()
            kinds = frozenset() if parent is None else self._get_asides(parent)
            if element.tag not in _TEXT_TAGS and _is_aside(element):
                kinds |= {(element.tag, element.get("class") or "")}
            self._asides[element] = kinds
        return kinds

    def lacks(self, place: int) -> bool:
        """Return whether a block between blocks of the text belongs to it."""
        block = self._page[place]
        if place in self._kept or self.is_beside(place) or not self._is_near(block) or _make_key(block) in self._keys:
            return False
        if next(block.element.iterancestors("figure"), None) is not None:
            return False
        if block.kind == "heading":
            return place + 1 in self._kept and not _is_menu_item(block)
        if block.kind == "list-item" or block.element.tag == "dt":
            return not _is_menu_item(block)
        return _is_sentence(block, _FULL_SENTENCE) and not _is_menu_item(block)

    def iterate_last_list(self) -> Iterator[int]:
        """Iterate over the places of a list that follows the last block of the text at once."""
        for i in range(self._end + 1, len(self._page)):
            if self._page[i].kind != "list-item" or not self.lacks(i):
                break
            yield i

    def _is_near(self, block: HtmlBlock) -> bool:
        """Return whether a block stands beside blocks of the text, in lists or in an element of its own at most."""
        around = (e for e in (block.element, *block.element.iterancestors()) if e.tag not in _LIST_TAGS)
        is_beside_inline = block.element in self._outer  # as loose text before paragraphs in `font`
        return is_beside_inline or any(element in self._parents for element in islice(around, 3))


def _is_aside(element: HtmlElement) -> bool:
    names = f"{element.get('class') or ''} {element.get('id') or ''}".split()
    return element.tag in _ASIDE_TAGS or any(_ASIDE_NAME.search(_CASE_CHANGE.sub("-", name)) for name in names)


def _is_menu_item(block: HtmlBlock) -> bool:
    letters = [(len("".join(_LETTERS.findall(run.text))), run.linked) for run in block.runs]
    linked = sum(count for count, is_linked in letters if is_linked)
    is_linked = linked > MAX_LINKED_SHARE * sum(count for count, _ in letters)
    return is_linked and not _STATEMENT.search(join_runs(block.runs))


def _extract_sentence_blocks(tree: HtmlElement) -> list[HtmlBlock]:
    """Extract blocks of sentences outside navigation, for pages too short or simple for trafilatura."""
    blocks = list(iterate_blocks(tree, lambda element: is_hidden(element) or element.tag in _NAVIGATION_TAGS))
    sentences = {i for i, block in enumerate(blocks) if _is_sentence(block, SENTENCE_END)}
    text = _MainText(blocks, sentences)
    return [blocks[i] for i in sorted(sentences) if not text.is_beside(i)]


def _is_sentence(block: HtmlBlock, end: re.Pattern[str]) -> bool:
    text = join_runs(block.runs)
    return bool(end.search(text)) and len(text.split()) >= MIN_SENTENCE_WORDS


def _find_bold_names(blocks: Sequence[HtmlBlock]) -> frozenset[str]:
    """Find the short texts in bold with which blocks begin again and again, as names in an interview do.

    They have no sign after them, and plain text follows: `<p><b>Ann Lee</b> We hid nothing.</p>`.
    """
    starts = Counter(start for block in blocks if (start := _get_bold_start(block)))
    is_used = sum(times > 1 for times in starts.values()) >= MIN_BOLD_NAMES
    return frozenset(starts) if is_used else frozenset()


def _get_bold_start(block: HtmlBlock) -> str:
    """Return the text in bold at the start of a block in which capitalised plain text follows, or ""."""
    start = join_runs(takewhile(lambda run: run.bold or not run.text.strip(), block.runs))
    rest = join_runs(dropwhile(lambda run: run.bold or not run.text.strip(), block.runs))
    is_short = start and len(start.split()) <= MAX_NAME_WORDS and start[-1].isalnum()
    return start if is_short and rest[:1].isupper() else ""


def _split_bold_name(block: HtmlBlock) -> Iterator[HtmlBlock]:
    """Split a block after the text in bold at its start."""
    bold = list(takewhile(lambda run: run.bold or not run.text.strip(), block.runs))
    yield block._replace(runs=bold)
    yield block._replace(runs=block.runs[len(bold) :])


def _split_at_lines(block: HtmlBlock) -> Iterator[HtmlBlock]:
    """Split a block at single breaks if the lines are whole sentences; other breaks are only line ends."""
    lines: list[list[TextRun]] = [[]]
    for run in block.runs:
        if run == TextRun("\n"):
            lines.append([])
        else:
            lines[-1].append(run)
    texts = [text for line in lines if (text := join_runs(line))]
    are_sentences = all(SENTENCE_END.search(text) for text in texts)
    if len(texts) > 1 and are_sentences and sum(len(t.split()) for t in texts) >= MIN_LINE_WORDS * len(texts):
        yield from (block._replace(runs=line) for line in lines if join_runs(line))
    else:
        yield block
