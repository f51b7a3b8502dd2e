"""Text files: encodings, and what is no text."""

from __future__ import annotations

import gzip
import os

import pytest

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read import compute_fingerprint, read_file

TEXT = "Переговоры прошли в Москве.\n\n“Quoted” – naïve café.\n"
RUSSIAN = "Официальный представитель министерства сообщил, что переговоры прошли в Москве. " * 5


def read(tmp_path, content: bytes, name: str = "a.txt", manifest=None):
    path = tmp_path / name
    path.write_bytes(content)
    return list(read_file(InputFile(path, name, manifest or {}), {}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_file_is_one_document(tmp_path, encoding):
    assert read(tmp_path, TEXT.encode(encoding)) == [RawDocument("a.txt", row=0, text=TEXT)]


def test_big_endian_utf16_is_read_by_its_mark(tmp_path):
    [document] = read(tmp_path, b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert document.text == TEXT


def test_another_encoding_is_guessed(tmp_path):
    [document] = read(tmp_path, RUSSIAN.encode("cp1251"))
    assert document.text == RUSSIAN


def test_a_stray_control_character_makes_no_binary_file(tmp_path):
    [document] = read(tmp_path, b"Short.\x1a")
    assert document.text == "Short.\x1a"


def test_line_ends_become_one_kind(tmp_path):
    [document] = read(tmp_path, b"One.\r\nTwo.\rThree.\n")
    assert document.text == "One.\nTwo.\nThree.\n"


def test_gzip_is_unpacked(tmp_path):
    [document] = read(tmp_path, gzip.compress(TEXT.encode()), "a.txt.gz")
    assert document.text == TEXT


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "an empty file"),
        (b" \n\t\r\n", "an empty file"),
        (b"\xef\xbb\xbf", "an empty file"),
        (b"text \x00 with a NUL", "binary content"),
        ("text \0".encode("utf-16"), "binary content"),
        (b"ab\x01\x02\x03\x04\x05\x06" * 10, "binary content"),
        (b"\xff\xfea\xd8b\x00", "text in UTF-8 or UTF-16"),
        (b"\xef\xbb\xbf\xff\xff", "text in UTF-8 or UTF-16"),
    ],
)
def test_what_is_no_text_is_rejected(tmp_path, content, why):
    [rejected] = read(tmp_path, content)
    assert isinstance(rejected, Rejected) and rejected.row == 0
    assert why in rejected.reason


def test_a_real_binary_file_is_rejected(tmp_path):
    [rejected] = read(tmp_path, gzip.compress(os.urandom(4096)))
    assert isinstance(rejected, Rejected)


@pytest.mark.parametrize("content", [b"no gzip at all", gzip.compress(RUSSIAN.encode())[:-12]])
def test_a_corrupt_gzip_is_rejected(tmp_path, content):
    [rejected] = read(tmp_path, content, "a.txt.gz")
    assert "an undamaged gzip file" in rejected.reason


def test_a_damaged_gzip_stream_is_rejected(tmp_path):
    packed = bytearray(gzip.compress(os.urandom(2000).hex().encode()))
    packed[40:60] = bytes(20)
    [rejected] = read(tmp_path, bytes(packed), "a.txt.gz")
    assert "an undamaged gzip file" in rejected.reason


def test_a_file_that_went_away_is_rejected(tmp_path):
    file = InputFile(tmp_path / "gone.txt", "gone.txt")
    [rejected] = read_file(file, {})
    assert "No such file" in rejected.reason
    with pytest.raises(ReadError, match="No such file"):
        compute_fingerprint(file, {})


def test_a_format_without_a_reader_is_rejected(tmp_path):
    [rejected] = read(tmp_path, b"PK", "a.odt")
    assert "extension .odt" in rejected.reason


def test_a_manifest_overrides_and_is_named(tmp_path):
    said = {"date": "2016-12-14", "outlet": "RT", "title": "", "speaker": "Ann"}
    [document] = read(tmp_path, b"A text.", manifest=said)
    assert (document.date, document.outlet, document.title, document.speaker) == ("2016-12-14", "RT", "", "Ann")
    assert document.from_manifest == ("date", "outlet", "speaker")


def test_the_fingerprint_tells_apart_all_that_decides_what_is_read(tmp_path):
    def of(content=b"text", name="a.txt", manifest=None, columns=None):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        return compute_fingerprint(InputFile(tmp_path / name, name, manifest or {}), columns or {})

    variants = [
        of(),
        of(b"texts"),
        of(name="a.jsonl"),
        of(manifest={"date": "2016"}),
        of(manifest={"date": "2017"}),
        of(columns={"text": "body"}),
        of(columns={"title": "body"}),
    ]
    assert len(set(variants)) == len(variants)
    assert all(len(v) == 64 for v in variants)
    # The same content elsewhere is the same input, however the manifest's fields are ordered.
    assert of(name="sub/b.txt") == of()
    two = {"date": "2016", "outlet": "RT"}
    assert of(manifest=two) == of(manifest=dict(reversed(two.items())))


@pytest.mark.shared
def test_the_five_seeds_are_read(shared):
    for path in sorted((shared / "seeds").glob("*.txt")):
        [document] = read_file(InputFile(path, path.name), {})
        assert isinstance(document, RawDocument)
        assert len(document.text) > 1000 and "\ufffd" not in document.text
