"""Files that people name: replaced at the end of links, and written to where they are devices or pipes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from narratives.store.files import open_named_file


def write(path: Path, content: bytes) -> None:
    with open_named_file(path) as file:
        file.write(content)


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    write(tmp_path / "link.csv", b"one")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "target.csv").read_bytes() == b"one"
    with pytest.raises(ValueError), open_named_file(tmp_path / "link.csv") as file:
        file.write(b"half")
        raise ValueError
    assert (tmp_path / "target.csv").read_bytes() == b"one" and len(list(tmp_path.iterdir())) == 2


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe.csv", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(pipe, b"rows")
    reader.join(10)
    assert got == [b"rows"] and pipe.is_fifo()


def test_a_folder_is_refused_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        write(tmp_path, b"")
