"""Who may import whom: text flows one way, and heavy libraries stay in their layers."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Text flows from left to right. Every layer may import `model`; none of these imports another.
LAYERS = {"read", "fetch", "parse", "embed", "match", "discover", "store", "measure", "render"}
MAY_IMPORT: dict[str, set[str]] = {layer: {"model", layer} for layer in LAYERS}
MAY_IMPORT["model"] = {"model"}
MAY_IMPORT["resources"] = set()
MAY_IMPORT["brief"] = {"model", "render", "brief"}
MAY_IMPORT["workflows"] = {"model", "resources", "brief", "workflows", *LAYERS}
MAY_IMPORT["dashboard"] = {"model", "resources", "store", "measure", "render", "workflows", "dashboard"}
MAY_IMPORT["pages"] = MAY_IMPORT["dashboard"]
MAY_IMPORT["dashboard.py"] = MAY_IMPORT["dashboard"]
MAY_IMPORT["cli"] = {"model", "resources", "brief", "workflows", "cli", *LAYERS}
MAY_IMPORT["__main__"] = {"cli"}

HOMES = {
    "streamlit": ("dashboard.py", "pages/", "narratives/dashboard/"),
    "duckdb": ("narratives/store/",),
    "torch": ("narratives/embed/",),
    "transformers": ("narratives/embed/",),
    "sentence_transformers": ("narratives/embed/",),
    "openvino": ("narratives/embed/",),
    "ray": ("narratives/workflows/engines/",),
}
HEAVY = {"torch", "transformers", "sentence_transformers", "openvino", "ray"}

SOURCES = sorted(
    path.relative_to(ROOT)
    for pattern in ("dashboard.py", "pages/*.py", "narratives/**/*.py")
    for path in ROOT.glob(pattern)
)


def find_layer(path: Path) -> str:
    """The layer, or the single module, that a source file belongs to."""
    if path.parts[0] != "narratives":
        return str(path) if len(path.parts) == 1 else path.parts[0]
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
def test_a_layer_imports_only_what_it_may(path: Path) -> None:
    own = find_layer(path)
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


def test_no_module_imports_itself_through_others() -> None:
    """No cycle among modules, counting only what is imported when a file is loaded."""
    modules = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES}
    edges: dict[str, set[str]] = {}
    for module, path in modules.items():
        edges[module] = set()
        for name, at_load in imported(path):
            target = name if name in modules else name.rpartition(".")[0]
            # A package hands on what its own modules define: that is no cycle.
            if at_load and target in modules and target != module and not module.startswith(f"{target}."):
                edges[module].add(target)
    graph = TopologicalSorter(edges)
    graph.prepare()  # raises CycleError, which names the cycle


def test_the_rules_see_every_layer() -> None:
    assert {find_layer(path) for path in SOURCES} >= set(MAY_IMPORT)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_is_one_idea_of_at_most_450_lines(path: Path) -> None:
    assert len((ROOT / path).read_text("utf-8").splitlines()) <= 450


def test_no_folder_is_a_hall_of_doors() -> None:
    modules = Counter(path.parent for path in SOURCES if path.name != "__init__.py")
    assert {folder: number for folder, number in modules.items() if number > 15} == {}
