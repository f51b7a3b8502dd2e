"""Nothing in the product turns data into code: no pickle, no eval, no unsafe loader, no code from a model's folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

FILES = sorted([*(ROOT / "narratives").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "dashboard.py"])

# Their files can run code when they are read.
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
# The last two parts of a dotted call; one name alone stands for every object.
CALLS = {
    *("torch.load", "torch.hub", "hub.load", "os.system", "os.popen", "yaml.load", "yaml.load_all"),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.unsafe_load_all", "yaml.full_load_all"),
    *("read_pickle", "to_pickle", "import_module", "exec_module", "run_path", "run_module"),
    *("getoutput", "getstatusoutput", "load_library", "CDLL"),
}
# Keywords that may only be given as False.
KEYWORDS = {"allow_pickle", "trust_remote_code", "shell"}

# (file, what it does): why it is safe.
ALLOWED = {
    ("narratives/read/text/markdown.py", "yaml.load"): "with BaseLoader, which makes only text, lists and tables",
    ("narratives/dashboard/server.py", "ctypes.CDLL"): "of no file: the C library that the process has already",
}


def find_unsafe(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, what is done) for everything in a module that can turn data into code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            base = getattr(node, "module", None) or ""
            for name in names:
                full = f"{base}.{name}" if base else name
                if full.partition(".")[0] in MODULES:
                    yield node.lineno, f"import {full}"
                elif ".".join(full.split(".")[-2:]) in CALLS:
                    yield node.lineno, ".".join(full.split(".")[-2:])
        elif isinstance(node, ast.Attribute):
            parts = ast.unparse(node).split(".")
            if ".".join(parts[-2:]) in CALLS or parts[-1] in CALLS:
                yield node.lineno, ".".join(parts[-2:])
        elif isinstance(node, ast.Name) and node.id in BUILTINS:
            yield node.lineno, node.id
        elif isinstance(node, ast.keyword) and node.arg in KEYWORDS and ast.unparse(node.value) != "False":
            yield node.lineno, f"{node.arg}={ast.unparse(node.value)}"


def test_nothing_turns_data_into_code():
    assert len(FILES) > 100
    used = [
        (path.relative_to(ROOT).as_posix(), line, what)
        for path in FILES
        for line, what in find_unsafe(ast.parse(path.read_text("utf-8")))
    ]
    assert not [entry for entry in used if (entry[0], entry[2]) not in ALLOWED]
    assert {(file, what) for file, _, what in used} == set(ALLOWED), "an exception is no longer needed"


def test_the_exception_for_yaml_uses_the_loader_of_texts():
    tree = ast.parse((ROOT / "narratives/read/text/markdown.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "yaml.load"]
    loaders = [ast.unparse(word.value) for call in calls for word in call.keywords if word.arg == "Loader"]
    assert loaders == ["yaml.BaseLoader"] * len(calls) and calls


def test_the_exception_for_the_c_library_loads_no_file():
    tree = ast.parse((ROOT / "narratives/dashboard/server.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "ctypes.CDLL"]
    assert {ast.unparse(call) for call in calls} == {"ctypes.CDLL(None)"}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import torch as t\nt.load(x, y)\ntorch.load(x)",
        "from torch import load",
        "from yaml import load",
        "yaml.load(x, Loader=yaml.Loader)",
        "eval('1')",
        "run = exec",
        "pd.read_pickle(x)",
        "np.load(x, allow_pickle=True)",
        "np.load(x, allow_pickle=flag)",
        "SentenceTransformer(x, trust_remote_code=True)",
        "subprocess.run(x, shell=True)",
    ],
)
def test_what_is_found(code):
    assert list(find_unsafe(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["model.eval()", "re.compile(x)", "np.load(x, allow_pickle=False)", "json.load(x)", "yaml.safe_load(x)"]
)
def test_what_is_not_found(code):
    assert not list(find_unsafe(ast.parse(code)))
