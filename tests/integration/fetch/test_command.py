"""`python -m narratives fetch`, with real pauses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from narratives.cli import main
from tests.conftest import ROOT
from tests.helpers.webserver import addresses, bodies, page, serve


@pytest.fixture
def site():
    with serve() as site:
        site.routes |= {f"/{name}": page(name) for name in "abc"}
        yield site


def test_fetch_reports_what_came_and_each_failure(site, tmp_path, capsys):
    source = addresses(tmp_path, site.url("/a"), site.url("/none"))
    command = [
        "fetch",
        source,
        "--into",
        str(tmp_path / "in"),
        "--allow-host",
        site.host,
        "--contact",
        "ann@example.org",
        "--progress",
        "json",
    ]
    began = time.monotonic()
    assert main(command) == 0
    assert time.monotonic() - began >= 2.0
    out, err = capsys.readouterr()
    assert f"failed {site.url('/none')}: Expected a page; got 404 Not Found" in out
    assert "new" in out and '{"stage": "fetching", "done": 2, "total": 2}' in err
    assert bodies(tmp_path) == [page("a").body]
    assert all("contact: ann@example.org" in headers["User-Agent"] for _, headers in site.requests)


def test_fetch_that_brings_nothing_and_fetch_that_cannot_be_meant(site, tmp_path, capsys):
    into = ["--into", str(tmp_path / "in"), "--progress", "none"]
    assert main(["fetch", site.url("/a"), *into]) == 1
    assert "--allow-host" in capsys.readouterr().err
    assert main(["fetch", "nowhere", *into]) == 2
    assert main(["fetch", "kremlin", *into]) == 2
    assert main(["fetch", "kremlin", "--from", "2016-99", *into]) == 2
    assert main(["fetch", site.url("/a"), "--allow-host", "a b", *into]) == 2
    assert site.requests == []


def test_ctrl_c_stops_and_the_same_command_goes_on(site, tmp_path, capsys):
    source = addresses(tmp_path, *(site.url(f"/{name}") for name in "abc"))
    arguments = ["fetch", source, "--into", str(tmp_path / "in"), "--allow-host", site.host]
    command = [sys.executable, "-m", "narratives", *arguments]
    # Where the tests run in the background, Ctrl-C is switched off, and programs inherit that.
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not site.asked("/a") and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "Stopped" in err and "Traceback" not in err
    assert len(bodies(tmp_path)) == 1
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    # One bar, with the rate and the time left: two pages and robots.txt take two seconds.
    assert (
        "already" in out and "| 3/3 [00:02<00:00," in err and len(bodies(tmp_path)) == 3 and len(site.asked("/a")) == 1
    )
