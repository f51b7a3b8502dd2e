"""Codebook: the narratives, their definitions and examples, and what a change of them would do."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import roles, shell
from narratives.dashboard.views import codebook
from narratives.dashboard.views.codebook import tasks


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot."""
    shell.draw_heading(
        "Codebook",
        "What each narrative says, and what counts as advancing it. Before an edit is saved, a preview shows which "
        "paragraphs it would change. The next build applies it.",
        view.handle,
    )
    book = codebook.load_book(view)
    codebook.draw_message()
    codebook.draw_build_state(view, book)
    codebook.draw_tree(view, book)
    st.subheader("Change the codebook", anchor=False)
    task = tasks.draw_task_control()
    tasks.draw_task(view, book, task)


with shell.show_errors():
    roles.require("editor")
    draw_page(shell.get_view())
