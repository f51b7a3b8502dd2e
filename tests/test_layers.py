"""Who may import whom: text flows one way, and heavy libraries stay in their rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .conftest import ROOT

ROOMS = {"read", "parse", "track", "store", "measure", "show"}
MAY_IMPORT: dict[str, set[str]] = {room: {"model", room} for room in ROOMS}
MAY_IMPORT["show"] |= {"store", "measure", "pipeline", "preview", "search", "brief", "method"}
MAY_IMPORT["pages"] = {"model", "show", "store", "measure", "pipeline"}
MAY_IMPORT["dashboard"] = MAY_IMPORT["pages"]
MAY_IMPORT["model"] = {"model"}
MAY_IMPORT["intake"] = {"model", "read", "store"}
MAY_IMPORT["shipped"] = set()
MAY_IMPORT["embedding"] = {"model", "track", "store"}
MAY_IMPORT["matching"] = {"model", "track", "shipped"}
MAY_IMPORT["discovery"] = {"model", "track", "embedding"}
MAY_IMPORT["search"] = {"model", "parse", "track", "store"}
STEPS = {"intake", "embedding", "matching", "discovery", "shipped"}
MAY_IMPORT["pipeline"] = {"model", *STEPS, *ROOMS} - {"show", "measure"}
MAY_IMPORT["evaluation"] = {"model", "pipeline", *STEPS, *ROOMS} - {"show", "parse"}
MAY_IMPORT["spotcheck"] = {"model", "read", "store"}
MAY_IMPORT["brief"] = {"model", "store", "measure", "brief", "show"}
MAY_IMPORT["method"] = {"model", "parse", "track", "measure"}
MAY_IMPORT["cli"] = {"model", "pipeline", "evaluation", "spotcheck", "brief", "shipped", "cli", *ROOMS} - {
    "show"
}
MAY_IMPORT["__main__"] = {"cli"}
MAY_IMPORT["preview"] = {"model", "read", "parse"}

HOMES = {
    "streamlit": ("dashboard.py", "pages/", "narratives/show/"),
    "duckdb": ("narratives/store/",),
    "torch": ("narratives/track/encoder.py", "narratives/track/tune.py"),
    "transformers": ("narratives/track/encoder.py", "narratives/track/tune.py"),
    "sentence_transformers": ("narratives/track/encoder.py", "narratives/track/tune.py"),
}
HEAVY = {"torch", "transformers", "sentence_transformers"}

SOURCES = sorted(
    path.relative_to(ROOT)
    for pattern in ("dashboard.py", "pages/*.py", "narratives/**/*.py")
    for path in ROOT.glob(pattern)
)


def place(path: Path) -> str:
    """The room, or the single module, that a source file belongs to."""
    if path.parts[0] != "narratives":
        return path.stem if len(path.parts) == 1 else path.parts[0]
    return path.parts[1] if len(path.parts) > 2 else path.stem


def imported(path: Path) -> list[tuple[str, bool]]:
    """Full dotted names that a file imports, each with whether it happens when the file is loaded."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    deferred = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.dump(outer.test))
        for inner in ast.walk(outer)
    }
    package = list(path.parts[:-1])
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [(alias.name, id(node) not in deferred) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names += [(f"{stem}.{alias.name}", id(node) not in deferred) for alias in node.names]
    return names


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    own = place(path)
    if own == "__init__":
        return
    for name, _ in imported(path):
        parts = name.split(".")
        if parts[0] == "narratives" and len(parts) > 1 and parts[1] != "__version__":
            assert parts[1] in MAY_IMPORT[own], f"{path} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_library_stays_at_home(path: Path) -> None:
    for name, at_load in imported(path):
        library = name.split(".")[0]
        if library in HOMES:
            assert str(path).startswith(HOMES[library]), f"{path} imports {library}"
        if library in HEAVY:
            assert not at_load, f"{path} imports {library} when it is loaded, not when it is first used"


def test_the_brief_takes_only_pure_parts_of_the_pages() -> None:
    """It is made on the command line too, which loads no Streamlit."""
    taken = {
        name.split(".")[2]
        for path in SOURCES
        if place(path) == "brief"
        for name, _ in imported(path)
        if name.startswith("narratives.show.")
    }
    assert taken
    while taken:
        module = taken.pop()
        names = [name for name, _ in imported(Path("narratives/show") / f"{module}.py")]
        assert not any(name.split(".")[0] == "streamlit" for name in names), module
        taken |= {name.split(".")[2] for name in names if name.startswith("narratives.show.")}


def test_the_rules_see_every_room() -> None:
    assert {place(path) for path in SOURCES} >= ROOMS | {"model", "pipeline", "dashboard", "pages"}
