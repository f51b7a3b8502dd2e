"""The command line: exit statuses, messages, and that everything it offers is documented."""

from __future__ import annotations

import codecs
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from narratives.cli import main
from narratives.cli.parser import make_parser
from narratives.cli.reference import get_subparsers, render_reference
from narratives.resources import DATA_FOLDER
from narratives.store import Store
from tests.conftest import ROOT
from tests.helpers.fakes import FakeEncoder, use_encoder
from tests.integration.builds.test_build import rows, small_codebook, write


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    return use_encoder(monkeypatch, FakeEncoder())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The default codebook is large: these tests take a small one for it."""
    (tmp_path / "data").mkdir()
    small_codebook(tmp_path / "data")
    for name in ("speakers.toml", "events.toml"):
        shutil.copy(DATA_FOLDER / name, tmp_path / "data")
    monkeypatch.setattr("narratives.resources.DATA_FOLDER", tmp_path / "data")


@pytest.fixture
def store(tmp_path: Path) -> str:
    source = write(tmp_path / "a.jsonl", rows(0, 12))
    assert main(["build", source, "--store", str(tmp_path / "s"), "--progress", "none"]) == 0
    return str(tmp_path / "s")


def test_build_exits_with_one_when_nothing_could_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "picture.txt").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "notes.xyz").write_text("text")
    arguments = [str(tmp_path / "picture.txt"), str(tmp_path / "notes.xyz"), str(tmp_path / "none.csv")]
    assert main(["build", *arguments, "--store", str(tmp_path / "s"), "--progress", "none"]) == 1
    out = capsys.readouterr().out
    assert out.count("rejected ") == 3 and "Nothing could be read" in out


def test_wrong_usage_exits_with_two(tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["build", "--store", str(tmp_path / "none")],
        ["build", "--remove", "never.csv", "--store", store],
        ["export", "prevalence", "--store", store, "--out", str(tmp_path / "a.docx")],
        ["export", "prevalence", "--store", store, "--narrative", "nobody_says_this"],
    ):
        assert main(arguments) == 2, arguments
        assert "Expected" in capsys.readouterr().err
    for arguments in (["export", "everything"], ["build", "a.csv", "--map", "text"], ["build", "--map", "tekst=a"]):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 2


def test_a_running_build_is_told_from_other_failures(store: str) -> None:
    with Store(Path(store)).lock():
        assert main(["build", "any.csv", "--store", store, "--progress", "none"]) == 3


def test_stopping_says_that_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_encoder(monkeypatch, FakeEncoder(stop_after=20))
    source = write(tmp_path / "a.jsonl", rows(0, 12))
    assert main(["build", source, "--store", str(tmp_path / "s")]) == 130
    assert "Nothing is lost" in capsys.readouterr().err


def test_progress_as_a_bar_shows_rate_and_time_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 40))
    assert main(["build", source, "--store", str(tmp_path / "s")]) == 0
    bars = capsys.readouterr().err.split("\n")
    encoding = [bar for bar in bars if "encoding" in bar]
    assert len(encoding) == 1, "one bar a stage, updated in place"
    assert re.search(r"100%.*\[\d\d:\d\d<\d\d:\d\d, .*/s\]", encoding[0].split("\r")[-1])


def test_progress_as_json_is_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 12))
    assert main(["build", source, "--store", str(tmp_path / "s"), "--progress", "json"]) == 0
    *steps, last = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    report = last["report"]
    assert report["snapshot"] and report["counts"]["documents"] == 12 and report["rejected"] == []
    stages = list(dict.fromkeys(step["stage"] for step in steps))
    assert stages[:2] == ["reading", "parsing"] and "encoding" in stages and stages[-1] == "writing"
    encoding = [(step["done"], step["total"]) for step in steps if step["stage"] == "encoding"]
    assert any(done == total > 100 for done, total in encoding)


def test_columns_can_be_mapped(tmp_path: Path, store: str) -> None:
    (tmp_path / "b.csv").write_text('body,when\n"A sentence of quite some length stands here.",2017\n')
    arguments = ["--store", store, "--progress", "none"]
    assert main(["build", str(tmp_path / "b.csv"), *arguments]) == 1
    assert main(["build", str(tmp_path / "b.csv"), "--map", "text=body", "--map", "date=when", *arguments]) == 0
    out = tmp_path / "documents.jsonl"
    assert main(["export", "documents", "--store", store, "--out", str(out)]) == 0
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(d["date"], d["status"]) for d in found if d["source_path"].endswith("b.csv")] == [("2017", "read")]


def test_export_prints_csv_or_writes_a_file(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["export", "prevalence", "--store", store, "--from", "2016", "--to", "2017", "--by", "half"]) == 0
    printed = capsys.readouterr().out
    out = tmp_path / "p.csv"
    assert (
        main(
            [
                "export",
                "prevalence",
                "--store",
                store,
                "--from",
                "2016",
                "--to",
                "2017",
                "--by",
                "half",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert out.read_bytes().startswith(codecs.BOM_UTF8) and out.read_text("utf-8-sig") == printed
    frame = pd.read_csv(out)
    assert set(frame["period"].str[:4]) == {"2016", "2017"} and frame["period"].str.contains("-H").all()
    assert ((frame["share_low"] <= frame["share"]) & (frame["share"] <= frame["share_high"])).all()


def test_an_export_that_matches_nothing_says_so(
    store: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    capsys.readouterr()
    assert main(["export", "paragraphs", "--store", store, "--speaker", "Nobody Here"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert "Nothing matches these filters" in caplog.text
    assert main(["export", "prevalence", "--store", store, "--from", "2018", "--to", "2016"]) == 2


def test_status_finds_damage(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--store", store]) == 0
    assert "intact" in capsys.readouterr().out
    snapshot = Store(Path(store)).snapshot_path(Store(Path(store)).current() or "")
    with (snapshot / "snapshot.duckdb").open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    assert main(["status", "--store", store]) == 1
    assert "DAMAGED" in capsys.readouterr().out


def test_status_of_an_empty_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--store", str(tmp_path / "none")]) == 0
    assert "none yet" in capsys.readouterr().out


def test_the_reference_is_generated() -> None:
    manual = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    assert manual == render_reference(), "run `make docs`"


def test_every_command_and_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    manual = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    commands = ["build", "dashboard", "fetch", "export", "brief", "review", "annotate", "codebook", "spotcheck"]
    commands += ["evaluate", "train", "status", "check", "rollback", "prune", "backup", "restore", "publish"]
    assert list(get_subparsers(make_parser())) == commands
    for command in commands:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = capsys.readouterr().out
        section = manual.partition(f"\n## `narratives {command}`\n")[2].partition("\n## ")[0]
        for option in {word.strip("[],") for word in shown.split() if word.startswith(("--", "[--"))} - {"--help"}:
            assert f"`{option}" in section, f"{command} {option} is not in docs/command-line.md"


def test_neither_command_line_nor_dashboard_loads_the_model_to_answer() -> None:
    code = (
        "import sys; sys.argv = ['narratives', 'status', '--store', 'nowhere']; "
        "import narratives.__main__ as m, narratives.dashboard.cached_queries; m.main(); "
        "sys.exit('torch' in sys.modules or 'sentence_transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0


def test_without_inputs_it_builds_anew_what_the_store_holds(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "--store", store, "--progress", "none"]) == 0
    assert "nothing to add" in capsys.readouterr().out
    assert main(["build", "--store", str(tmp_path / "none"), "--progress", "none"]) == 2


def test_the_last_line_tells_of_rejections_and_the_list_is_where_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "a.jsonl", [*rows(0, 12), *({"id": f"empty-{i}"} for i in range(120))])
    store = tmp_path / "my store"
    missing = [str(tmp_path / f"missing{i}.csv") for i in range(25)]
    assert main(["build", source, *missing, "--store", str(store), "--progress", "none"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "145 rejected; the reasons are above."
    assert all(f"rejected {path}: " in out for path in missing), "these are in no list"
    assert "… and 100 more" in out
    [command] = re.findall(r"`narratives (.*)`", out)
    assert main([*shlex.split(command), "--out", str(tmp_path / "list.csv")]) == 0
    assert (pd.read_csv(tmp_path / "list.csv")["status"] == "rejected").sum() == 120


def test_where_nothing_is_rejected_the_last_line_is_the_snapshot(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "--store", store, "--progress", "none"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("snapshot ")


def test_where_there_is_no_snapshot_everything_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "a.jsonl", [{"id": f"empty-{i}"} for i in range(60)])
    assert main(["build", source, "--store", str(tmp_path / "s"), "--progress", "none"]) == 1
    out = capsys.readouterr().out
    assert out.count("  rejected ") == 60 and "60 rejected" in out.splitlines()[-1]


def test_columns_that_are_not_used_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("text,Date,mood\nA sentence of quite some length.,2016,x\n")
    arguments = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--progress", "none"]
    assert main(["build", *arguments, "--store", str(tmp_path / "s")]) == 0
    out = capsys.readouterr().out
    assert f"columns not used in {tmp_path / 'a.csv'} and 1 more: mood\n" in out and "--map" in out


def test_status_shows_names_that_are_no_text(tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    write(source, rows(0, 4))
    assert main(["build", str(source), "--store", str(tmp_path / "s"), "--progress", "none"]) == 0
    shown = subprocess.run(
        [sys.executable, "-m", "narratives", "status", "--store", str(tmp_path / "s")],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert shown.returncode == 0 and shown.stdout.count(rb"caf\xe9.jsonl") == 2


def test_a_guessed_encoding_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        row = "1;Hélène Crépeau;The harbour of Besançon is closed until the spring."
        (tmp_path / f"{name}.csv").write_bytes(f"id;speaker;text\n{row}\n".encode("cp1252"))
    assert main(["build", str(tmp_path), "--store", str(tmp_path / "s"), "--progress", "none"]) == 0
    out = capsys.readouterr().out
    assert f"note: {tmp_path / 'a.csv'} and 1 more: read as Windows-1252 (Western European)" in out


def test_what_is_skipped_is_told_by_build_and_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in/a.jsonl", rows(0, 4))
    (tmp_path / "in/LICENCE").write_text("Free for all.")
    assert main(["build", str(tmp_path / "in"), "--store", str(tmp_path / "s"), "--progress", "none"]) == 0
    told = f"{tmp_path / 'in/LICENCE'}: a note about the files"
    assert f"  skipped {told}" in capsys.readouterr().out
    assert main(["status", "--store", str(tmp_path / "s")]) == 0
    out = capsys.readouterr().out
    assert "inputs    1\n" in out and "skipped   1\n" in out and told in out


def test_names_of_files_and_columns_do_not_act_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    escape = "\x1b]0;gone\x07\u202e"
    (tmp_path / f"a{escape}.csv").write_text(f"text,mood{escape}\nA sentence of quite some length.,x\n")
    (tmp_path / f"b{escape}.csv").write_text(f"tekst{escape},mood\nA sentence of quite some length.,x\n")
    (tmp_path / f"c{escape}.xyz").write_text("text")
    arguments = ["--store", str(tmp_path / "s"), "--progress", "none"]
    for command in (
        ["build", *map(str, tmp_path.glob("?\x1b*")), *arguments],
        ["build", str(tmp_path / f"none{escape}"), *arguments],
        ["build", str(tmp_path / f"a{escape}.csv"), "--map", f"title={escape}", *arguments],
        ["status", "--store", str(tmp_path / "s")],
        ["export", "paragraphs", "--speaker", escape, "--store", str(tmp_path / "s"), "--out", str(tmp_path / "o.csv")],
        ["brief", "--as-of", escape, "--store", str(tmp_path / "s")],
    ):
        main(command)
        said = "".join(capsys.readouterr())
        assert said and not set(said) & {"\x1b", "\x07", "\u202e"}, command
    with pytest.raises(SystemExit):
        main(["export", escape])
    assert "\x1b" not in capsys.readouterr().err
