"""What all tests share: the reference material beside the project, or a visible skip."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import settings

from narratives.dashboard import chart_panel
from narratives.resources import SAMPLE_FOLDER
from narratives.workflows.build import BuildRequest, build

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent

# A machine busy with other work is no failure of a property.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference texts and labels beside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("NARRATIVES_SHARED", ROOT.parent / "shared"))
    if not (folder / "seeds").is_dir():
        pytest.skip(f"the reference material is not at {folder}")
    return folder


@pytest.fixture(autouse=True)
def figures_are_well_formed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure that a tested page sends is one that Plotly knows; the pages themselves do not check."""
    from narratives.dashboard import chart_panel

    def checked(figure: chart_panel.PlainFigure) -> dict[str, Any]:
        import plotly.graph_objects as go

        spec = json.loads(figure._spec)
        go.Figure(spec)
        return spec

    monkeypatch.setattr(chart_panel.PlainFigure, "to_dict", checked)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One chromium for all tests; each opens fresh profiles in it."""
    from playwright.sync_api import sync_playwright

    # The first is the cheapest: it draws no windows.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no chromium or chrome on the path: install one to run the browser tests")
    with sync_playwright() as playwright:
        # The proxy's tests make a certificate of their own. A context that ignores its error asks every file again for
        # it, and chromium gives up now and then (net::ERR_TOO_MANY_RETRIES); no other test has an https address.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--ignore-certificate-errors"]
        running = playwright.chromium.launch(executable_path=found, args=arguments)
        yield running
        running.close()


@pytest.fixture(scope="session")
def sample(tmp_path_factory, worker_id) -> Path:
    """A store of the sample as every new user sees it. It is built once for all test processes."""
    folder = tmp_path_factory.getbasetemp()
    store = (folder if worker_id == "master" else folder.parent) / "sample" / "store"
    store.parent.mkdir(exist_ok=True)
    with FileLock(store.parent / ".built"):
        if not (store / "CURRENT").exists():
            build(BuildRequest(inputs=(str(SAMPLE_FOLDER),), store=store))
    return store
