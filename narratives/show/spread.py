"""The parts of the page on spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from narratives.model import Slice
from narratives.show import controls, data, frame, panel, spread_charts, spread_data, words
from narratives.show.frame import View
from narratives.show.spread_charts import DAYS, FIRST, KTH, day, ordinal
from narratives.store.spread_queries import Actor

CAVEAT = (
    "First means first in the texts collected. Who comes first depends on which texts were collected, on "
    "their dates and on what the machine matches; an order in time says neither who took a narrative from "
    "whom nor why."
)
WHO: Mapping[Actor, str] = {"outlet": "Outlets", "speaker": "Speakers"}
VIEWS = {"timeline": "Timeline", "cumulative": "Running total"}
ROWS, KS = ("10", "20", "40"), ("2", "3", "5", "10")
MOST_LINES, MOST_NAMED = 6, 3
_TABLE = {
    "actor": st.column_config.TextColumn("Who"),
    "uses": st.column_config.NumberColumn("Paragraphs", format="localized"),
    "first": st.column_config.TextColumn("First use"),
    "days_after": st.column_config.NumberColumn("Days after the first of all", format="localized"),
    "kth": st.column_config.TextColumn("k-th paragraph"),
    "days_to_kth": st.column_config.NumberColumn("Days to it", format="localized"),
    "not_to_the_day": st.column_config.NumberColumn(
        "Without a day", format="localized", help="Paragraphs not dated to the day: no part in the order."
    ),
    "coarse": st.column_config.TextColumn("Earliest of those"),
    "covered_from": st.column_config.TextColumn("Text from"),
    "covered_to": st.column_config.TextColumn("Text to"),
    "covered_before": st.column_config.CheckboxColumn(
        "Text before the first of all", help="Where not, an earlier use could not be seen."
    ),
}
_PAIRS = {
    "original_outlet": st.column_config.TextColumn("Outlet of the original"),
    "outlet": st.column_config.TextColumn("Outlet of the copy"),
    "paragraphs": st.column_config.NumberColumn("Paragraphs", format="localized"),
    "documents": st.column_config.NumberColumn("Documents", format="localized"),
    "first": st.column_config.TextColumn("First copy"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What this page's own controls say."""

    narrative: str
    name: str
    actor: Actor
    view: str
    rows: int
    k: int


def choices(view: View) -> Choice:
    """Draw the narrative, whom to follow, the view and how much of it; all in the address."""
    names, found = data.names(view.handle), data.options(view.handle)
    offered = [key for key in names if not view.slice.narratives or key in view.slice.narratives]
    most = found.narratives.sort_values("paragraphs", ascending=False, kind="stable")["narrative_id"]
    usual = next(key for key in most if key in offered)
    several = sum(bool(name) for name, _ in found.outlets) > 1
    narrative = controls.box("Narrative", "of", {key: names[key] for key in offered}, usual)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = controls.choice("Who", "who", WHO, "outlet" if several else "speaker")
        shown = controls.choice("Show as", "spread-view", VIEWS)
        rows, k = "20", "3"
        if shown == "timeline":
            rows = controls.choice("At most", "spread-rows", {n: n for n in ROWS}, rows)
            k = controls.choice(
                "Mark paragraph number",
                "uses",
                {n: n for n in KS},
                k,
                help="One paragraph may be chance: the mark says when there were this many.",
            )
    return Choice(narrative, names[narrative], who, shown, int(rows), int(k))


def nothing(view: View, choice: Choice) -> None:
    """The empty state: nobody in the slice advances the narrative."""

    def count(s: Slice) -> int:
        return int(spread_data.uses(view.handle, s, choice.actor, choice.narrative)["paragraphs"].sum())

    hints = (
        [] if choice.actor == "outlet" else ["Paragraphs that name no speaker stand with the outlets only."]
    )
    s = replace(view.slice, narratives=())
    frame.nothing(view, s, count, "advancing statement paragraph", hints)
    frame.note(CAVEAT)


def shown(view: View, choice: Choice) -> None:
    """Who advanced it when: in words, and as a timeline or running totals."""
    found = spread_data.uses(view.handle, view.slice, choice.actor, choice.narrative)
    covered = spread_data.coverage(view.handle, view.slice, choice.actor)
    table = spread_data.taken_up(found, covered, choice.k)
    s = replace(view.slice, narratives=(choice.narrative,))
    said = told(table, choice.actor)
    st.text(said)
    dated = table[table["first"] != ""]
    if covered.empty or (choice.view == "cumulative" and dated.empty):
        st.info("No use is dated to the day, so there is no order to draw.", icon=":material/info:")
        return
    window = spread_data.window(covered, view.slice)
    most = choice.rows if choice.view == "timeline" else MOST_LINES
    chosen = (table if choice.view == "timeline" else dated).sort_values(
        "uses", ascending=False, kind="stable"
    )
    rows = table.loc[chosen.head(most).index.sort_values()]
    runs = {actor: spread_data.runs(covered, actor) for actor in rows["actor"]}

    def figures() -> panel.Figures:
        if choice.view == "timeline":
            figure = spread_charts.timeline(rows, found, runs, window, choice.actor, choice.k)
        else:
            figure = spread_charts.cumulative(rows, found, window, choice.actor)
        return [(f"spread-{choice.view}", figure, said)]

    drawn = panel.Panel(
        key="spread",
        title=f"{choice.name}: {WHO[choice.actor].lower()}",
        how=_how(view, choice, table, len(rows)),
        summary=said,
        table=rows,
        slice=s,
        columns=_TABLE,
        extra={"who": choice.actor, "k": str(choice.k)},
    )
    panel.show(view, drawn, figures)


def told(table: pd.DataFrame, actor: Actor) -> str:
    """Who comes first and how soon others follow, in a few sentences. Pure."""
    noun = "outlet" if actor == "outlet" else "speaker"
    dated = table[table["first"] != ""]
    verb = "advances" if len(table) == 1 else "advance"
    uses = words.count(int(table["uses"].sum()), "statement paragraph")
    lines = [f"{words.count(len(table), noun)} {verb} it here, in {uses}."]
    if len(dated):
        at = dated["first"].iloc[0]
        first = dated[dated["first"] == at]
        then = dated[dated["first"] > at].head(MOST_NAMED)
        lines.append(f"First in the texts collected: {words.listing(first['actor'].tolist())}, {day(at)}.")
        if len(then):
            followed = [
                f"{name or words.NOBODY} {words.count(int(after), 'day')} later"
                for name, after in zip(then["actor"], then["days_after"], strict=True)
            ]
            lines.append(f"Next: {', '.join(followed)}.")
        unseen = int((~dated["covered_before"]).sum())
        if unseen:
            lines.append(
                f"For {words.count(unseen, noun)} there is no text from before that day, so that an "
                "earlier use could not be seen."
            )
    coarse = int(table["not_to_the_day"].sum())
    if coarse:
        verb, has = ("is", "has") if coarse == 1 else ("are", "have")
        lines.append(
            f"{words.count(coarse, 'paragraph')} {verb} not dated to the day and {has} no part in this "
            "order, though some may be earlier."
        )
    return " ".join(lines)


def _how(view: View, choice: Choice, table: pd.DataFrame, shown: int) -> str:
    noun = "outlet" if choice.actor == "outlet" else "speaker"
    span = words.years(view.slice)
    what = (
        f"Statement paragraphs{words.who(view.slice)}{f' dated {span}' if span else ''} that advance "
        f"{choice.name}; {words.copies(view.slice)}."
    )
    which = f"The {shown} {noun}s with most of them, of {len(table):,}." if shown < len(table) else ""
    if choice.view == "timeline":
        marks = (
            f"Earliest first; the number is how many paragraphs. {FIRST} first use, larger with more "
            f"paragraphs; {KTH} the {ordinal(choice.k)} paragraph; {DAYS} every day with one. Grey: months "
            f"with any text at all of the {noun}, whatever it says (years, where the dates say no more); "
            "outside nothing was collected. A hollow circle: the day is not known."
        )
    else:
        marks = "How many paragraphs there had been by each day. The lines rise with how much was collected."
    return " ".join(filter(None, [what, which, marks, CAVEAT]))


def copies(view: View, choice: Choice) -> None:
    """How many paragraphs are copies, and from which outlet to which."""
    everything = replace(view.slice, copies="all")
    total = int(spread_data.uses(view.handle, everything, "outlet", choice.narrative)["paragraphs"].sum())
    pairs = spread_data.copied(view.handle, view.slice, choice.narrative)
    number = int(pairs["paragraphs"].sum())
    advance = "advances" if total == 1 else "advance"
    how = (
        f"{words.count(total, 'statement paragraph')} {advance} {choice.name} here, copies included; "
        f"{number:,} of them repeat an earlier paragraph, exactly or nearly. The earliest "
        "dated one counts as the original, as far as it was collected."
    )
    if pairs.empty:
        st.subheader("Copies", anchor=False)
        frame.note(how)
        return
    drawn = panel.Panel(
        key="copies",
        title="Copies",
        how=how,
        summary=how,
        table=pairs.assign(
            original_outlet=pairs["original_outlet"].replace("", words.NOBODY),
            outlet=pairs["outlet"].replace("", words.NOBODY),
        ),
        slice=replace(view.slice, narratives=(choice.narrative,), copies="copies"),
        columns=_PAIRS,
    )
    panel.show(view, drawn, None)
