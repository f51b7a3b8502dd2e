"""What a screen reader, a keyboard or weak eyes need: axe-core on every page, and a walk by keys."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.helpers.browser import fresh, opened, serving, settled

pytestmark = [pytest.mark.browser, pytest.mark.model]
GRAVE = ("serious", "critical")
# Streamlit's own: rule, what it is in, and why we cannot mend it.
STREAMLIT = {
    "list": (
        "[data-testid=stSidebarNavItems]",
        "the navigation's list holds the section's name and its links in a div, not in a list item",
    ),
    "listitem": ("[data-testid=stSidebarNavItems]", "the navigation's links are items of that div"),
}
_RUN = """async ([known, grave]) => {
  const found = await axe.run(document, {resultTypes: ["violations"], elementRef: true});
  return found.violations.filter((rule) => grave.includes(rule.impact)).flatMap((rule) => rule.nodes
    .filter((node) => !(known[rule.id] && node.element.closest(known[rule.id])))
    .map((node) => `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}"""


@pytest.fixture(scope="module")
def address(sample) -> Iterator[str]:
    with serving(sample) as found:
        yield found


@pytest.fixture(scope="module")
def paths(browser, address) -> list[str]:
    """The pages of the navigation."""
    with fresh(browser) as watched:
        links = opened(watched, address).get_by_test_id("stSidebarNavLink")
        return [urlparse(url).path for url in links.evaluate_all("found => found.map(link => link.href)")]


def violations(page: Page) -> list[str]:
    """Serious and critical violations on the page as it is, beyond Streamlit's own."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    # What is being drawn anew is faded for a moment.
    page.wait_for_function("!document.querySelector('[data-stale=true]')")
    page.wait_for_timeout(300)
    known = {rule: selector for rule, (selector, _) in STREAMLIT.items()}
    found = list(page.evaluate(_RUN, [known, GRAVE]))
    if found:
        # On a busy machine the fading takes longer; what is wrong for good is still wrong then.
        page.wait_for_timeout(5000)
        found = list(page.evaluate(_RUN, [known, GRAVE]))
    return found


def test_axe_is_awake(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, address)
        page.evaluate(
            "document.querySelector('h1').insertAdjacentHTML('afterend',"
            ' \'<p style="color: #aaa; background: #fff">pale</p><img src="data:,">\')'
        )
        found = " ".join(violations(page))
        assert "color-contrast" in found and "image-alt" in found


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_no_page_has_a_grave_violation(browser, address, paths, scheme, width):
    assert len(paths) >= 4
    with fresh(browser, width) as watched:
        watched.page.emulate_media(color_scheme=scheme)
        charts = 0
        for path in paths:
            page = opened(watched, f"{address}{path}")
            assert not violations(page), path
            if path.strip("/") in ("", "narrative", "speakers", "map"):
                page.wait_for_selector(".js-plotly-plot .main-svg")
            for chart in page.get_by_test_id("stPlotlyChart").all():
                charts += 1
                expect(chart).to_have_role("figure")
                assert len(chart.get_attribute("aria-label") or "") > 20, path  # what it shows, in words
    assert charts >= 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neither_have_menus_and_tables(browser, address, scheme):
    with fresh(browser) as watched:
        watched.page.emulate_media(color_scheme=scheme)
        page = opened(watched, address)
        panel = page.locator(".st-key-panel-comparison")
        panel.get_by_role("button", name="Save").click()
        expect(page.get_by_role("button", name="Picture (PNG)")).to_be_visible()
        assert not violations(page)
        page.keyboard.press("Escape")
        panel.get_by_text("Table", exact=True).click()
        settled(page)
        expect(panel.get_by_test_id("stDataFrame")).to_be_visible()
        assert not violations(page)


_STOP = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const name = at.getAttribute("aria-label") || at.closest("label")?.innerText || at.innerText
    || document.querySelector(`label[for="${at.id}"]`)?.innerText || "";
  return name.split("\\n").map((line) => line.trim()).filter(Boolean);
}"""


def walk(page: Page, to: str, most: int = 90) -> list[str]:
    """Press Tab until the control called `to` is reached; the names that were passed on the way."""
    passed: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        names = page.evaluate(_STOP)
        passed += names
        if to in names:
            return passed
    raise AssertionError(f"no way to {to}: {passed}")


def seen(page: Page, around: Locator) -> bool:
    """Whether one sees that the control in use is in use."""
    with_focus = around.screenshot(animations="disabled", caret="hide")
    page.evaluate("window.inUse = document.activeElement; window.inUse.blur()")
    without = around.screenshot(animations="disabled", caret="hide")
    page.evaluate("window.inUse.focus()")
    return with_focus != without


def test_prevalence_by_the_keyboard_alone(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, address)
        sidebar, main = page.get_by_test_id("stSidebar"), page.get_by_test_id("stMain")
        passed = walk(page, "Speaker")
        assert [name for name in passed if name in ("Evidence", "Map", "Sources")]
        assert seen(page, sidebar)
        page.keyboard.type("Putin")
        page.keyboard.press("Enter")
        page.wait_for_url("**speaker=Vladimir+Putin**")
        settled(page)
        # In use it stays, so that one goes on from there.
        for control in ("Outlet", "From", "To", "Narrative", "Voice", "Copies", "Clear filters"):
            walk(page, control, 6)
            assert seen(page, sidebar), control
        for control in ("Share", "Paragraphs", "Auto", "Order", "Smooth"):
            walk(page, control, 8)
            assert seen(page, main), control
        walk(page, "Table", 12)
        assert seen(page, main)
        page.keyboard.press("Space")
        expect(page.locator(".st-key-panel-prevalence").get_by_test_id("stDataFrame")).to_be_visible()
        settled(page)
        page.keyboard.press("Space")
        expect(page.locator(".st-key-panel-prevalence .js-plotly-plot").first).to_be_visible()
        settled(page)
        walk(page, "Save", 4)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_visible()
        # Streamlit puts the menu at the end of the page.
        walk(page, "Copy link to this snapshot", 25)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_hidden()
        assert parse_qs(urlparse(page.url).query) == {"speaker": ["Vladimir Putin"]}
