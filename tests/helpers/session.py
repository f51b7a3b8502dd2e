"""What a user does with the program, in one process: a build, exports, a brief, all pages, and a server.

    python -m tests.helpers.session TEXTS STORE FOLDER

Ends with 0 if everything worked.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

from streamlit.testing.v1 import AppTest

from narratives.cli import main
from narratives.dashboard import cached_queries
from tests.conftest import ROOT
from tests.helpers.browser import serving


def run(*arguments: str) -> None:
    assert main(list(arguments)) == 0, arguments


def open_pages() -> None:
    for path in sorted((ROOT / "pages").glob("*_page.py")):
        app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
        app.switch_page(f"pages/{path.name}")
        app.run()
        assert not app.exception, path
        assert app.title or app.markdown, path


def use(texts: str, store: str, folder: Path) -> None:
    run("build", texts, "--store", store, "--progress", "none")
    for extension in ("csv", "parquet"):
        run("export", "prevalence", "--store", store, "--out", str(folder / f"prevalence.{extension}"))
    run("brief", "--store", store, "--out", str(folder / "brief.html"))
    run("status", "--store", store)
    os.environ[cached_queries.STORE_VARIABLE] = store
    open_pages()
    with serving(Path(store)) as address, urllib.request.urlopen(f"{address}/_stcore/health") as answer:
        assert answer.read() == b"ok"


if __name__ == "__main__":
    use(*sys.argv[1:3], Path(sys.argv[3]))
