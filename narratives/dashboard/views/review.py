"""The Review page: the question with its context, the answers by key, and what the answers say so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, roles, shell, verdicts, waiting
from narratives.dashboard.shell import View
from narratives.model import Decision, Verdict
from narratives.render import phrases
from narratives.workflows.review import (
    MIN_ANSWERS,
    Pair,
    Question,
    ReviewQueue,
    choose_question,
    compute_agreement,
    compute_figures,
    count_left,
    count_today,
    record_answer,
    undo_answers,
)

_SKIPPED_KEY, _STEPS_KEY, _FIRST_KEY = "review-skipped", "review-steps", "review-first"
_SAID_KEY, _OTHER_KEY, _CHOICE_KEY = "review-said", "review-other", "review-other-narrative"
_ANSWERS: tuple[tuple[str, Verdict, str, str], ...] = (
    ("Yes", "accepted", "Y", ":material/check:"),
    ("No", "rejected", "N", ":material/close:"),
    ("Unsure", "undecided", "U", ":material/question_mark:"),
)
_VERDICT_NAMES = {verdict: label for label, verdict, _, _ in _ANSWERS}
# The list of narratives opens with the keyboard in it.
_FOCUS_SCRIPT = "<script>document.querySelector('.st-key-review-other-narrative input')?.focus()</script>"


@st.fragment
def draw_review(view: View) -> None:
    """Draw the next question, its answers, and what the answers say. Only this is drawn again after an answer."""
    user = roles.require("reviewer")
    queue = cached_queries.load_queue(view.handle.built, view.slice)
    opinions = cached_queries.get_log(view.handle).opinions(texts=False)
    question = _choose(queue, opinions, user)
    _draw_status()
    waiting.refresh_waiting(view)
    if question is None:
        st.subheader("Nothing left to ask", anchor=False)
        st.text("All questions of this selection are answered. Change the filters, or build to get new ones.")
        _draw_undo(view, queue)
    else:
        _draw_question(view, question)
        _draw_answers(view, queue, question)
    drawn, uncertain = count_left(queue, opinions, user.name)
    left = f"{drawn:,} drawn at random and {uncertain:,} uncertain questions left"
    if not queue.drawn:
        left = f"{uncertain:,} uncertain questions left. With these filters, none are drawn at random"
    st.caption(f"{phrases.format_count(count_today(opinions, user.name), 'decision')} today. {left}.")
    _draw_figures(view, queue, opinions)
    _draw_agreement(opinions)


def _choose(queue: ReviewQueue, opinions: Sequence[Decision], user: roles.User) -> Question | None:
    """Choose the question that was just taken back, or else the next one."""
    first: Pair | None = st.session_state.get(_FIRST_KEY)
    known = next((q for q in (*queue.drawn, *queue.uncertain) if q.pair == first), None) if first else None
    return known or choose_question(
        queue, opinions, user.name, st.session_state.get(_SKIPPED_KEY, ()), adjudicates=user.may("editor")
    )


def _draw_status() -> None:
    """Say what was recorded, to screen readers as well."""
    said = st.session_state.get(_SAID_KEY, "")
    st.html(f'<div role="status" style="min-height: 1.5em; font-size: 0.9rem">{escape(said)}</div>')


def _draw_question(view: View, question: Question) -> None:
    rows = cached_queries.load_question(view.handle.built, question.paragraph_id, question.narrative_id)
    row = rows.iloc[0].to_dict()
    st.markdown(f"#### {phrases.escape_markdown(row['narrative'])}")
    st.markdown(phrases.escape_markdown(row["definition"]))
    if len(row["includes"]) or len(row["excludes"]):
        shell.draw_note(f"Includes: {'; '.join(row['includes'])}. Excludes: {'; '.join(row['excludes'])}.")
    with st.container(border=True, key="review-question"):
        voice = phrases.VOICE_LABELS.get(row["voice"], row["voice"])
        parts = [row["date"] or "undated", row["speaker"], voice, row["outlet"], row["title"]]
        shell.draw_note(" · ".join(part for part in parts if part))
        if pd.notna(row["before"]):
            shell.draw_note(row["before"])
        st.markdown(phrases.highlight_sentence(row["text"], row["sentence"]))
        if pd.notna(row["after"]):
            shell.draw_note(row["after"])
        if row["exemplar"]:
            shell.draw_note(f"Most similar statement of the codebook: {row['exemplar']}")
    if question.disputed:
        st.info("Two reviewers disagree here. Your answer decides.", icon=":material/balance:")


def _draw_answers(view: View, queue: ReviewQueue, question: Question) -> None:
    with st.container(horizontal=True, key="review-answers"):
        for label, verdict, key, icon in _ANSWERS:
            st.button(
                label,
                key=f"review-{verdict}",
                on_click=_answer,
                args=(view, queue, question, verdict),
                shortcut=key,
                icon=icon,
                type="primary" if verdict == "accepted" else "secondary",
            )
        st.button("Other narrative", key="review-other-button", on_click=_toggle_other, shortcut="O")
        st.button("Skip", key="review-skip", on_click=_skip, args=(question,), shortcut="S")
        _draw_undo(view, queue)
    if st.session_state.get(_OTHER_KEY):
        names = verdicts.get_codebook_names(view.handle.built, {question.narrative_id})
        st.selectbox(
            "The narrative that it advances instead",
            list(names),
            index=None,
            format_func=names.__getitem__,
            key=_CHOICE_KEY,
            on_change=_answer_other,
            args=(view, queue, question),
        )
        st.html(_FOCUS_SCRIPT, unsafe_allow_javascript=True)


def _draw_undo(view: View, queue: ReviewQueue) -> None:
    st.button("Undo", key="review-undo", on_click=_undo, args=(view, queue), shortcut="Z", icon=":material/undo:")


def _answer(view: View, queue: ReviewQueue, question: Question, verdict: Verdict, other: str = "") -> None:
    """Record an answer (a button's callback)."""
    with shell.show_errors():
        user = roles.require("reviewer")
        added = record_answer(Path(view.handle.store), queue, question, verdict, user.name, other)
        names = cached_queries.get_narrative_names(view.handle.built)
        st.session_state.setdefault(_STEPS_KEY, []).append(added)
        instead = f", but {names.get(other, other)}" if other else ""
        st.session_state[_SAID_KEY] = f"Recorded: {_VERDICT_NAMES[verdict]}{instead}. {names[question.narrative_id]}."
        st.session_state[_FIRST_KEY] = None
        st.session_state[_OTHER_KEY] = False


def _answer_other(view: View, queue: ReviewQueue, question: Question) -> None:
    if chosen := st.session_state.get(_CHOICE_KEY):
        _answer(view, queue, question, "rejected", str(chosen))


def _toggle_other() -> None:
    st.session_state[_OTHER_KEY] = not st.session_state.get(_OTHER_KEY)


def _skip(question: Question) -> None:
    """Leave a question for later; it comes back in another session."""
    st.session_state[_SKIPPED_KEY] = {*st.session_state.get(_SKIPPED_KEY, ()), question.pair}
    st.session_state[_SAID_KEY] = "Skipped."
    st.session_state[_FIRST_KEY] = None
    st.session_state[_OTHER_KEY] = False


def _undo(view: View, queue: ReviewQueue) -> None:
    """Take back the last answer of this reviewer, and ask it again (a button's callback)."""
    with shell.show_errors():
        user = roles.require("reviewer")
        steps: list[int] = st.session_state.get(_STEPS_KEY) or [1]
        undone = undo_answers(Path(view.handle.store), queue, user.name, max(1, steps.pop()))
        st.session_state[_OTHER_KEY] = False
        if undone is None:
            st.session_state[_SAID_KEY] = "There is nothing to undo."
            return
        st.session_state[_SAID_KEY] = "Taken back."
        st.session_state[_FIRST_KEY] = (undone.text_key, undone.narrative_id)


def _draw_figures(view: View, queue: ReviewQueue, opinions: Sequence[Decision]) -> None:
    """Draw precision and recall as far as the random answers show them."""
    figures = compute_figures(queue, opinions)
    rows = {key: row for key, row in figures.items() if sum(row.answers)}
    with st.expander("What the random answers say so far"):
        st.caption(
            "From the questions drawn at random on this snapshot. Precision: the share of assigned paragraphs that "
            "advance the narrative. Recall: the share of those that advance it that are assigned. In brackets: the "
            f"95 % interval. From {MIN_ANSWERS} answers on assigned paragraphs and {MIN_ANSWERS} on others, they "
            "correct the shares of the narrative."
        )
        if not rows:
            st.text("No random answers yet.")
            return
        names = cached_queries.get_narrative_names(view.handle.built)
        table = {
            "Narrative": [names.get(key, key) for key in rows],
            "Precision": [phrases.format_with_limits(*row.precision) for row in rows.values()],
            "Recall": [phrases.format_with_limits(*row.recall) for row in rows.values()],
            "Answers on assigned": [row.answers[0] for row in rows.values()],
            "On others": [row.answers[1] for row in rows.values()],
        }
        st.dataframe(pd.DataFrame(table), hide_index=True, height="content")


def _draw_agreement(opinions: Sequence[Decision]) -> None:
    """Draw how far annotators agree on the pairs that both decided."""
    found = compute_agreement(opinions)
    with st.expander("Agreement of reviewers"):
        st.caption(
            "On the pairs that both decided, yes or no. Kappa: agreement beyond chance; 1 is perfect, 0 is chance "
            "(Cohen 1960). One question in five is asked of every reviewer."
        )
        if not found:
            st.text("No pair has been decided by two annotators yet.")
            return
        table = {
            "Annotators": [f"{row.first} and {row.second}" for row in found],
            "Pairs": [row.pairs for row in found],
            "Same verdict": [row.same for row in found],
            "Kappa": [phrases.format_with_limits(row.kappa, math.nan, math.nan) for row in found],
            "Machine": ["yes" if row.machine else "" for row in found],
        }
        st.dataframe(pd.DataFrame(table), hide_index=True, height="content")
