"""The package: built as a wheel, installed outside the checkout, it has everything inside and works."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.helpers.browser import fresh, opened, serving, turned_to
from tests.helpers.factory import build_store


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of commands of a new environment with this wheel, and with the dependencies of this one."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    scripts = home / "bin"
    purelib = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, cwd=home)
    (Path(purelib) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return scripts


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(installed / "narratives"), *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_wheel_holds_pages_data_and_texts(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    pages = {f"narratives/_app/pages/{path.name}" for path in (ROOT / "pages").glob("*.py")}
    assert pages <= names
    for name in ("codebook.toml", "speakers.toml", "events.toml", "background.npz", "quality.json"):
        assert f"narratives/_app/data/{name}" in names
    assert {"narratives/_app/dashboard.py", "narratives/_app/.streamlit/config.toml"} <= names
    assert any(name.startswith("narratives/_app/data/sample/") for name in names)
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "narratives").rglob("*") if path.is_file()}
    assert {name for name in code if "__pycache__" not in name} <= names


@pytest.mark.model
def test_an_installed_command_builds_exports_and_reports(installed, tmp_path):
    sample = tmp_path / "texts.jsonl"
    sample.write_bytes((ROOT / "data" / "sample" / "seeds.jsonl").read_bytes())
    built = run(installed, tmp_path, "build", "texts.jsonl", "--progress", "none")
    assert built.returncode == 0, built.stderr
    exported = run(installed, tmp_path, "export", "narratives")
    assert exported.returncode == 0 and "western_russophobia" in exported.stdout
    status = run(installed, tmp_path, "status")
    assert status.returncode == 0 and "intact" in status.stdout


@pytest.mark.browser
def test_an_installed_dashboard_shows_the_pages(installed, browser, tmp_path):
    store = build_store(tmp_path / "store").path
    program = (str(installed / "narratives"), "dashboard")
    with serving(store, program, "--port", tmp_path) as address, fresh(browser) as watched:
        page = opened(watched, address)
        assert page.locator("h1").inner_text() == "Prevalence"
        turned_to(page, "Evidence")
        assert page.locator("h1").inner_text() == "Evidence"
    with socket.socket() as knock:  # the command was asked to stop, and the server went with it
        assert knock.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) != 0
