"""Attribute every block of a document to its speaker: labels first, then the text read as a report."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from narratives.model import ParagraphKind, Voice
from narratives.parse.attribution.entities import EntityIndex
from narratives.parse.attribution.label_names import LabelContext, name_labels
from narratives.parse.attribution.labels import has_caption_mark, is_answer_label, is_question_label
from narratives.parse.attribution.mentions import find_mention_after, tokenise
from narratives.parse.attribution.questions import Turn, find_questions
from narratives.parse.attribution.quotations import MIN_QUOTED_SHARE, compute_quoted_share, find_quote_spans
from narratives.parse.attribution.report import Attribution, attribute_report, is_about_speaker
from narratives.parse.attribution.roster import Roster, clean_name, get_only
from narratives.parse.attribution.signatures import mark_signatures, split_signature
from narratives.parse.segmentation import Block, count_words

DOCUMENT_SPEAKER = re.compile(
    r"^(?:(?:opening|closing|introductory|welcoming|concluding)\s+)?(?:(?:weekly|daily|press)\s+)*"
    r"(?:briefing|speech|remarks|statement|address|comments?|article|interview|lecture|press conference)\s+"
    r"(?:by|of|from)\s+(?P<who>.+)$",
    re.IGNORECASE,
)
_QUOTE_MARKS = "“”„«»\"‘'"
TURN_METHODS = ("source label", "turn label", "turn continued")
MIN_INTERVIEW_QUESTIONS = 2
MIN_TRANSCRIPT_TURNS = 3  # turn labels, from which a text is a transcript and not a report
INTERVIEW_TITLE = re.compile(
    r"\b(?:interview|conversation|q\s?&\s?a|questions?)\s+(?:with|for|to)\s+(?P<who>.+)$", re.I
)
STAGE_DIRECTION = re.compile(r"[(\[][^()\[\]]{1,200}[)\]]\.?")
TRANSCRIPT_END = re.compile(
    r"[(\[]?(?:\(?whereupon\b.*|(?:this|the|our) (?:interview|conversation|transcript) (?:was|has been) "
    r"(?:lightly )?(?:edited|condensed|shortened)\b.*"
    r"|(?:the |end of (?:the )?)?(?:press )?(?:briefing|interview|transcript|meeting|sitting|session|debate|conference)"
    r"(?: (?:was )?(?:concluded|ended|adjourned|closed|rose|suspended)\b.*)?)[)\]]?\.?",
    re.IGNORECASE,
)
MAX_STAGE_WORDS = 8  # of a stage direction; a longer remark in brackets is a report
MAX_CLOSING_WORDS = 30  # of a line that closes a transcript
MIN_RETOLD_PARAGRAPHS = 2  # paragraphs about the stated speaker that make a text a report about them


class AttributedBlock(NamedTuple):
    """The kind and the attribution of one block."""

    kind: ParagraphKind
    by: Attribution


def attribute_blocks(
    blocks: Sequence[Block],
    title: str,
    roster: Roster,
    on: str = "",
    outlet: str = "",
    stated: str = "",
    stated_in: str = "metadata",
) -> list[AttributedBlock]:
    """Return kind, speaker, method, quoted person and voice of every block, in order.

    The first of these that applies gives the speaker:

    1. The label that the source gives the paragraph.
    2. A turn label in its text, or alone above it. It applies until the next label, separator, heading, or line that
       closes the transcript, but not to stage directions.
    3. A label that the source continues from an earlier paragraph.
    4. The one speaker of the whole document, named by its title ("Briefing by X") or `stated` by manifest or
       metadata (`stated_in`). If the first turn is theirs, the title does not make them speak before it.
    5. In an interview whose questions are marked and whose answers have no label, the person interviewed.
    6. The text read as a report (`attribute_report`).

    Headings and titles have no speaker. A paragraph is a question if the source marks it as one, if its label
    is that of an unnamed asker, or if a named person asks it (`find_questions`), who is then its speaker. `on`
    is the document's partial date, by which posts are resolved.
    """
    blocks, author = mark_signatures(blocks)
    body = _place_body(blocks)
    texts = [placed.block.text for placed in body]
    first = next((i for i, block in enumerate(blocks) if block.kind == "body"), 0)
    above = [block.text for block in blocks[:first] if block.kind in ("heading", "lead") and not block.turn]
    names = _merge_labels([label for placed in body if (label := placed.block.label)], roster, on)
    names |= _name_turns(blocks, title, roster, on, outlet)
    host = roster.resolve(stated, on) if stated else ""
    whole = _find_document_speaker(texts, title, roster, on, host, stated_in)
    if not whole.speaker and (name := _resolve_name(author, roster, on)):
        whole = Attribution(name, "signature")
    guest = whole.speaker or _find_interviewee(body, title, above, roster, on)
    attributed = _TurnReader(body, names, whole, guest, outlet, roster).attribute()
    _mark_questions(attributed, texts, names, roster, on)
    free = [at for at in range(len(body)) if at not in attributed]
    quoted = [_add_quote_marks(body[at].block) for at in free]
    reports = attribute_report(quoted, title, roster, on, outlet, host, above)
    attributed |= {at: AttributedBlock(body[at].block.kind, by) for at, by in zip(free, reports, strict=True)}
    bodies = (_mark_block_quote(placed.block, attributed[at]) for at, placed in enumerate(body))
    return [
        next(bodies) if block.kind in ("lead", "body") else AttributedBlock(block.kind, Attribution())
        for block in blocks
    ]


class _PlacedBlock(NamedTuple):
    """A body block; `turn` is the label in its text or alone above it, `is_new` whether a section starts with it.

    `asked_above` says that the heading above it is a question.
    """

    block: Block
    turn: str
    is_new: bool
    asked_above: bool


def _place_body(blocks: Sequence[Block]) -> list[_PlacedBlock]:
    placed: list[_PlacedBlock] = []
    alone, is_new, is_asked = "", False, False
    for block in blocks:
        if block.kind in ("lead", "body"):
            placed.append(_PlacedBlock(block, block.turn or alone, is_new or block.after_break, is_asked))
            alone, is_new, is_asked = "", False, False
        elif block.kind == "heading":
            alone, is_new, is_asked = block.turn, not block.turn, block.text.endswith("?")
    return placed


def _name_turns(blocks: Sequence[Block], title: str, roster: Roster, on: str, outlet: str) -> dict[str, str]:
    """Return the name behind every turn label of a document."""
    first = next((at for at, block in enumerate(blocks) if block.turn), -1)
    if first < 0:
        return {}
    turns: dict[str, list[str]] = defaultdict(list)
    for block in blocks:
        if block.turn:
            turns[block.turn].append(block.text)
    above = dict.fromkeys([title, *(block.text for block in blocks[:first])])
    text = "\n".join([title, *(block.text for block in blocks)])
    return name_labels(turns, LabelContext(list(above), turns, text, on, outlet), roster)


def _find_interviewee(body: Sequence[_PlacedBlock], title: str, above: Sequence[str], roster: Roster, on: str) -> str:
    """Return the person who answers unlabelled, by title and introduction, or "" if there are none or several."""
    match = INTERVIEW_TITLE.search(title)
    starts = [at for at, placed in enumerate(body) if _is_asked(placed) or (match and placed.asked_above)]
    if len(starts) < MIN_INTERVIEW_QUESTIONS:
        return ""
    if match:
        tokens = tokenise(match["who"], [])
        if person := EntityIndex([tokens], roster, on, "").resolve(find_mention_after(tokens, 0)):
            return person
    introduction = [title, *above, *(placed.block.text for placed in body[: starts[0]])]
    spans = find_quote_spans(introduction)
    tokens_of = [tokenise(text, own) for text, own in zip(introduction, spans, strict=True)]
    return get_only(EntityIndex(tokens_of, roster, on, "").people())


def _is_asked(placed: _PlacedBlock) -> bool:
    return placed.block.hint == "question" or (bool(placed.turn) and is_question_label(placed.turn))


def _find_document_speaker(
    texts: Sequence[str], title: str, roster: Roster, on: str, host: str, stated_in: str
) -> Attribution:
    """Return the one speaker of a whole document, by its title or its source, and how they were found."""
    if speaker := _find_title_speaker(title, roster, on):
        return Attribution(speaker, "whole document")
    if host and not _is_report_about(texts, host, roster):
        return Attribution(host, stated_in)
    return Attribution()


class _TurnReader:
    """Attributes, in order, the body blocks that have a label, or all if the document has one speaker.

    `guest` is the person who gives the answers without a label or name. What the label of the `outlet` has is a
    question.
    """

    def __init__(
        self,
        body: Sequence[_PlacedBlock],
        names: Mapping[str, str],
        whole: Attribution,
        guest: str,
        outlet: str,
        roster: Roster,
    ) -> None:
        self._body, self._names, self._whole, self._guest, self._roster = body, names, whole, guest, roster
        self._outlet = outlet.casefold().removeprefix("the ")
        turns = [placed for placed in body if placed.turn]
        quotations = sum(_is_quotation(placed) for placed in turns)
        self._has_turns = bool(turns)
        self._is_transcript = len(turns) >= MIN_TRANSCRIPT_TURNS and 2 * quotations < len(turns)
        self._answers_unlabelled = all(is_question_label(placed.turn) for placed in turns)
        first = next((at for at, placed in enumerate(body) if placed.turn), 0)
        starts_itself = turns and whole.method == "whole document" and names[turns[0].turn] == whole.speaker
        self._silent_until = first if starts_itself else 0
        self._is_interview = bool(guest) and not whole.speaker
        self._running = self._answering = ""
        self._asked = False

    def attribute(self) -> dict[int, AttributedBlock]:
        """Return the attributed blocks by place."""
        found = ((at, self._attribute(at, placed)) for at, placed in enumerate(self._body))
        return {at: block for at, block in found if block is not None}

    def _attribute(self, at: int, placed: _PlacedBlock) -> AttributedBlock | None:
        block, turn = placed.block, placed.turn
        if block.kind == "lead":
            return None  # nobody's turn
        is_closing = self._has_turns and not turn and _is_closing(block.text)
        if placed.is_new or is_closing or has_caption_mark(block.text):
            self._running, self._asked = "", self._is_interview and placed.asked_above
        if block.hint == "question" and not turn:
            self._running, self._asked = "", True
            return AttributedBlock("question", Attribution(method="source kind", voice="question"))
        if self._asked and self._answers_unlabelled and not (turn or block.label or block.text.endswith("?")):
            self._running = ""
        label, method, self._running = _choose_label(placed, self._running, self._is_transcript)
        if label and (turn or label == block.label or not STAGE_DIRECTION.fullmatch(block.text)):
            return self._attribute_to_label(block.text, label, method)
        if is_closing or (label and count_words(block.text) <= MAX_STAGE_WORDS):
            return AttributedBlock("body", Attribution())
        if self._whole.speaker and at >= self._silent_until:
            return _attribute_own_words(block.text, self._whole.speaker, self._whole.method, self._roster)
        if self._asked and self._guest:
            return _attribute_own_words(block.text, self._guest, "interview", self._roster)
        return None

    def _attribute_to_label(self, text: str, label: str, method: str) -> AttributedBlock:
        if is_question_label(label) or label.casefold().removeprefix("the ") == self._outlet:
            self._asked = True
            return AttributedBlock("question", Attribution(method=method, voice="question"))
        if is_answer_label(label):
            return _attribute_own_words(text, self._guest or self._answering, method, self._roster)
        self._answering = self._names[label]
        in_quotes = method == "turn label" and not self._running
        return _attribute_own_words(text, self._answering, method, self._roster, in_quotes)


def _is_closing(text: str) -> bool:
    """Return whether a paragraph closes a transcript, such as `(End of briefing)`."""
    return len(text) <= 250 and bool(TRANSCRIPT_END.fullmatch(text)) and count_words(text) <= MAX_CLOSING_WORDS


def _is_quotation(placed: _PlacedBlock) -> bool:
    # In a report `Peskov: “...”` labels one quotation, not a turn that continues.
    return placed.block.text[placed.block.turn_size :][:1] in _QUOTE_MARKS


def _choose_label(placed: _PlacedBlock, running: str, is_transcript: bool) -> tuple[str, str, str]:
    """Return the label that applies to a block, the method, and the turn label that continues after it."""
    block = placed.block
    if block.labelled and block.label:
        return block.label, "source label", ""
    if placed.turn:
        is_quotation = not is_transcript and _is_quotation(placed)
        return placed.turn, "turn label", "" if is_quotation else placed.turn
    return running or block.label, "turn continued", running


def _mark_questions(
    attributed: dict[int, AttributedBlock], texts: Sequence[str], names: Mapping[str, str], roster: Roster, on: str
) -> None:
    turns = []
    for at, text in enumerate(texts):
        kind, by = attributed.get(at, AttributedBlock("body", Attribution()))
        has_turn = kind == "body" and by.method in TURN_METHODS
        turns.append(Turn(by.speaker if has_turn else "", text, kind == "question", by.method == "turn label"))
    for at in find_questions(turns, names, roster, on):
        attributed[at] = AttributedBlock("question", attributed[at].by._replace(voice="question"))


def _add_quote_marks(block: Block) -> str:
    # A block quote has no quotation marks; with them, and its signature, it is read like any other direct quote.
    text, signature = (block.text, block.signature) if block.signature else split_signature(block)
    if (signature or block.hint == "quote") and text[:1] not in _QUOTE_MARKS:
        text = f"“{text}”"
    return f"{text} — {signature}" if signature else text


def _mark_block_quote(block: Block, attributed: AttributedBlock) -> AttributedBlock:
    if (block.hint == "quote" or block.signature) and attributed.kind == "body":
        return AttributedBlock("body", attributed.by._replace(voice="quoted"))
    return attributed


def _attribute_own_words(
    text: str, speaker: str, method: str, roster: Roster, in_quotes: bool = False
) -> AttributedBlock:
    voice: Voice = "own" if speaker else "outlet"
    if in_quotes or is_about_speaker(text, speaker, roster):
        share = compute_quoted_share(text, find_quote_spans([text])[0])
        voice = "quoted" if share >= MIN_QUOTED_SHARE else "reported"
    return AttributedBlock("body", Attribution(speaker, method if speaker else "", voice=voice))


def _find_title_speaker(title: str, roster: Roster, on: str) -> str:
    """Return the speaker in `Briefing by Foreign Ministry Spokesperson Maria Zakharova, Moscow, ...`, or ""."""
    match = DOCUMENT_SPEAKER.match(title)
    if not match:
        return ""
    return _resolve_name(match["who"], roster, on)


def _resolve_name(words: str, roster: Roster, on: str) -> str:
    tokens = tokenise(words, [])
    return EntityIndex([tokens], roster, on, "").resolve(find_mention_after(tokens, 0))


def _is_report_about(texts: Sequence[str], speaker: str, roster: Roster) -> bool:
    return sum(is_about_speaker(text, speaker, roster) for text in texts) >= min(MIN_RETOLD_PARAGRAPHS, len(texts))


def _merge_labels(labels: Sequence[str], roster: Roster, on: str) -> dict[str, str]:
    """Return the name behind every label of one document; a label that ends with another is the same person.

    `Gazprom CEO Alexei Miller` and `Alexei Miller` become the latter. If the post in the longer label does not
    fit the person of the roster, both labels belong to a namesake and keep the longer name.
    """
    names = {label: roster.resolve(label, on) for label in labels}
    cleaned = {label: clean_name(label) for label in names}
    for long in names:
        for short in names:
            is_ending = " " in cleaned[short] and cleaned[long].endswith(" " + cleaned[short])
            if is_ending and names[long] == cleaned[long]:
                if roster.is_known(cleaned[short]):
                    names[short] = names[long]
                else:
                    names[long] = names[short]
    return names
