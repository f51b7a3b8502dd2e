"""By the menu from every page to every other: no error, what is chosen is drawn, the filters stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page

from narratives.store import Store
from tests.helpers.attribution import PUTIN, speaking
from tests.helpers.browser import choose, fresh, opened, put, serving, turned_to

pytestmark = pytest.mark.browser
PAGES = (
    "Prevalence",
    "Narrative",
    "Topics",
    "Speakers",
    "Spread",
    "Evidence",
    "Map",
    "Review",
    "Codebook",
    "Sources",
    "Method",
)
PERIODS = {"Year": "year", "Half-year": "half-year", "Quarter": "quarter", "Month": "month"}
# The controls of each page at the start. Several pages offer the same choice: it goes with the reader.
AT_START: Mapping[str, Mapping[str, str]] = {
    "Prevalence": {"Show": "Share", "Of": "Paragraphs", "Period": "Auto", "Order": "Most prevalent"},
    "Narrative": {"Show": "Share", "Period": "Auto", "Narrative to show": "The US meddles too"},
    "Topics": {"List": "Topics", "Colour by": "Theme"},
    "Speakers": {
        "Rank speakers by": "Advancing paragraphs",
        "At most": "8",
        "Show": "Share",
        "Period": "Auto",
        "Speaker to show": PUTIN,
    },
    "Spread": {"Who": "Outlets", "Show as": "Timeline", "At most": "20", "Mark paragraph number": "3"},
    "Evidence": {"Sort all rows by": "Best match"},
    "Map": {"Colour by": "Narrative"},
    "Review": {},
    "Codebook": {"What to do": "Edit", "Narrative": "Western Russophobia"},
    "Sources": {"Count": "Documents", "Period": "Auto"},
    "Method": {},
}
# What the reader chooses on each page before the second round, and what three pages offer alike.
CHOSEN: Mapping[str, Mapping[str, str]] = {
    "Prevalence": {"Order": "Name"},
    "Narrative": {"Narrative to show": "Western Russophobia"},
    "Topics": {"List": "Recurring claims"},
    "Speakers": {"Rank speakers by": "All paragraphs"},
    "Spread": {"Show as": "Running total"},
    "Evidence": {"Sort all rows by": "Newest first"},
    "Map": {"Colour by": "Year"},
    "Review": {},
    "Codebook": {"What to do": "Retire"},
    "Sources": {"Count": "Statement paragraphs"},
    "Method": {},
}
SHARED = {"Show": "Count", "Period": "Half-year"}
LEADS_ON = "Open a narrative"  # the one list that turns a page, and so keeps nothing
SHARING = ("Prevalence", "Narrative", "Speakers")
# What the page has: the option chosen in each control, None where there is none; the filters; all its words.
_STATE = """() => {
  const main = document.querySelector("[data-testid=stMain]"), chosen = {}, filters = {};
  for (const group of main.querySelectorAll("[role=radiogroup]"))
    chosen[group.ariaLabel] = group.querySelector("[aria-checked=true]")?.innerText ?? null;
  for (const box of main.querySelectorAll("[data-testid=stSelectbox] input"))
    chosen[box.ariaLabel] = box.value || null;
  const side = document.querySelector("[data-testid=stSidebar]");
  for (const box of side.querySelectorAll("[data-testid=stMultiSelect]"))
    filters[box.querySelector("input").ariaLabel] =
      [...box.querySelectorAll(":scope > :not(template) [data-tag]")].map(tag => tag.ariaLabel);
  for (const box of side.querySelectorAll("[data-testid=stSelectbox] input"))
    filters[box.ariaLabel] = box.value;
  const words = main.innerText, keys = [...main.querySelectorAll("[class*=st-key-]")].map(e => e.className);
  const errors = document.querySelectorAll("[data-testid=stException]").length;
  return {chosen, filters, words, errors, keys: keys.join(" ")};
}"""


@dataclass(frozen=True)
class State:
    """What a page shows of its controls and of the sidebar, in words, and the keys of what is drawn."""

    chosen: dict[str, str | None]
    filters: dict[str, str | list[str]]
    words: str
    errors: int
    keys: str


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Several speakers and outlets over four years, on a map; as a sample it asks less text for a share."""
    made, content = Store(tmp_path_factory.mktemp("walk") / "store"), speaking()
    originals = sorted(content.statements - set(content.copies))
    places = {key: (float(n % 20), float(n // 20)) for n, key in enumerate(originals)}
    made.write_snapshot(replace(content, layout=places, notice="sample: made up"))
    return made.path


# Steps around the list of pages: to the next one, over one, and back. All ordered pairs take several minutes.
STEPS = (1, 2, -1)


def circuit(places: tuple[str, ...], steps: tuple[int, ...] = STEPS) -> list[str]:
    """A way from the first place and back to it, which comes to every place, and leaves it, once with each step."""
    way = [0]
    for step in steps:
        way += [(way[-1] + step * turn) % len(places) for turn in range(1, len(places) + 1)]
    return [places[at] for at in way]


def test_the_way_reaches_and_leaves_every_page_by_three_others():
    way = circuit(PAGES)
    pairs = list(pairwise(way))
    assert len(pairs) == len(set(pairs)) == len(PAGES) * len(STEPS)
    assert all(len({one for one, other in pairs if other == page}) == len(STEPS) for page in PAGES)
    assert way[0] == way[-1] == PAGES[0]


def state(page: Page) -> State:
    return State(**page.evaluate(_STATE))


def check(page: Page, name: str, wanted: Mapping[str, str], filters: Mapping[str, object]) -> None:
    """The page shows no error, the wanted choices, what they stand for, and these filters."""
    now = state(page)
    assert now.errors == 0 and "cannot be shown" not in now.words, now.words
    assert all(option for label, option in now.chosen.items() if label != LEADS_ON), now.chosen
    assert {label: now.chosen.get(label) for label in wanted} == wanted
    assert now.filters == filters
    drawn(name, now)


def drawn(name: str, now: State) -> None:
    """What the page says that it draws is what its controls show."""
    if name in SHARING:
        share = now.chosen["Show"] == "Share"
        assert ("Share of the" in now.words) == share and ("Count out of the" in now.words) == (not share)
        length = PERIODS.get(now.chosen["Period"] or "")
        said = re.findall(r"[Bb]y (year|half-year|quarter|month)(, the shortest)?\b", now.words)
        assert said and (length is None or {noun for noun, _ in said} == {length}), (length, said)
        if name != "Speakers":
            assert all(bool(automatic) == (length is None) for _, automatic in said), (length, said)
    if name == "Prevalence":
        noun = "documents" if now.chosen["Of"] == "Documents" else "statement paragraphs"
        assert re.search(rf"(Share of|Count out of) the \d+ {noun}", now.words)
    if name == "Narrative":
        assert f"advances {now.chosen['Narrative to show']}" in now.words.replace("advance ", "advances ")
    if name == "Speakers":
        text = now.chosen["Rank speakers by"] == "All paragraphs"
        assert f"ranked by number of {'statement' if text else 'paragraphs that'}" in now.words
    if name == "Spread":
        kind = "timeline" if now.chosen["Show as"] == "Timeline" else "cumulative"
        assert f"st-key-spread-{kind}" in now.keys
        assert f"{now.chosen['Narrative']}: {(now.chosen['Who'] or '').lower()}" in now.words
    if name == "Sources":
        length = PERIODS.get(now.chosen["Period"] or "")
        assert re.search(rf"A dash marks a {length or '(year|quarter|month)'} without", now.words)
        assert re.search(rf"\d+ {(now.chosen['Count'] or '').lower()}", now.words)


@pytest.mark.timeout(900)  # some 60 pages, each a second on a free machine
def test_the_menu_leads_from_every_page_to_every_other(browser, store):
    unset = {"Speaker": [], "Outlet": [], "From": "", "To": "", "Narrative": [], "Voice": []}
    unset["Copies"] = "originals only"
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, address)
        check(page, "Prevalence", AT_START["Prevalence"], unset)
        for name in circuit(PAGES)[1:]:
            turned_to(page, name)
            check(page, name, AT_START[name], unset)
            assert not urlparse(page.url).query

        choose(page, "Speaker", PUTIN)
        choose(page, "From", "2017")
        choose(page, "To", "2019")
        filters = {**unset, "Speaker": [PUTIN], "From": "2017", "To": "2019"}
        for name, options in CHOSEN.items():
            turned_to(page, name)
            for label, option in options.items():
                put(page, label, option)
        turned_to(page, "Speakers")
        for label, option in SHARED.items():
            put(page, label, option)
        turned_to(page, "Prevalence")
        for name in circuit(PAGES, steps=(1,))[1:]:
            turned_to(page, name)
            check(page, name, {**CHOSEN[name], **(SHARED if name in SHARING else {})}, filters)
            query = parse_qs(urlparse(page.url).query)
            asked = {key: query.get(key) for key in ("speaker", "from", "to")}
            assert asked == {"speaker": [PUTIN], "from": ["2017"], "to": ["2019"]}
            assert name in ("Topics", "Review", "Codebook", "Method") or f"by {PUTIN}" in state(page).words
        with fresh(browser) as again:
            # What the walk has left in the address shows the same to somebody else.
            check(opened(again, page.url), "Prevalence", {**CHOSEN["Prevalence"], **SHARED}, filters)
