"""Texts and tables in older encodings: which one, by the letters and words of the readings."""

from __future__ import annotations

import csv
import gzip
import io

import pytest

from narratives.model import RawDocument, Rejected
from narratives.read import encoding
from narratives.read.charsets import CANDIDATES, NAMES, guess_charset
from narratives.read.encoding import describe_guess, detect_encoding
from tests.helpers.reading import read

ENGLISH = "The harbour board met on Monday and agreed to pay for the new quay. "
READINGS = [
    ("cp1252", "Señora Ibáñez de Logroño"),
    ("cp1252", "El niño comió jalapeños en Málaga"),
    ("cp1252", "François, né à Besançon; « ça ira » – dit-il"),
    ("cp1252", "Jürgen Weiß aus Köln"),
    ("cp1252", "Søren Kjærgård på Læsø"),
    ("cp1252", "Åsa Sjöström från Göteborg"),
    ("cp1252", "João e Conceição de São Luís"),
    ("cp1252", "Þórdís og Guðrún frá Ísafirði"),
    ("cp1252", "Però la città è più bella così"),
    ("cp1252", "the clerk’s “naïve” façade cost £3m or €4m…"),
    ("cp1252", "Muñoz"),
    ("cp1250", "Wałęsa i Kaczyński, którzy są w Gdańsku"),
    ("cp1250", "Jiří Dvořák řekl, že v Plzni je hůř"),
    ("cp1250", "Győri Gyűjtők: működő idő és erő"),
    ("cp1250", "Băsescu a spus că nu ştie ţara"),
    ("cp1250", "Ljubiša Živković, što će biti"),
    ("cp1250", "Bogusław"),
    ("iso8859_2", "Wałęsa, który źle się czuł w Łodzi"),
    ("iso8859_2", "Šárka Žáčková, že škola je těžká"),
    ("cp1254", "Çiğdem Şahin ve Erdoğan İzmir’de konuştu"),
    ("cp1254", "Kılıçoğlu"),
    ("cp1257", "Dalia Grybauskaitė kalbėjo Šiauliuose apie žemę"),
    ("cp1251", "Сергей Иванов заявил"),
    ("cp1251", "Україна та її сусіди"),
    ("cp1251", "Москва"),
    ("koi8_r", "Президент сказал, что всё готово"),
    ("koi8_r", "МОСКВА, КРЕМЛЬ"),
    ("cp866", "Президент сказал, что всё готово"),
    ("mac_cyrillic", "Президент сказал, что всё готово"),
    ("cp1253", "Ο πρωθυπουργός δήλωσε στην Αθήνα"),
    ("cp1255", "ראש העיר אמר ביום שני"),
    ("cp1256", "قال رئيس البلدية إن الميناء مفتوح"),
    ("mac_roman", "Müller, Jörg sagte „Grüße“ – über Köln"),
    ("mac_roman", "José Ibáñez, señor de Cádiz y León"),
    ("cp850", "Señor Ibáñez habló en Málaga, Cádiz y León"),
]


@pytest.mark.parametrize(("name", "text"), READINGS)
def test_a_few_words_in_an_english_text_show_the_encoding(tmp_path, name, text):
    [document] = read(tmp_path, f"{ENGLISH}{text}.\n{ENGLISH}".encode(name), "a.txt")
    assert document.text == f"{ENGLISH}{text}.\n{ENGLISH}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gb18030", "市长星期一在新闻发布会上表示，新码头将于明年开放。"),
        ("shift_jis", "市長は月曜日の記者会見で、新しい埠頭は来年開くと述べた。"),
        ("euc_kr", "시장은 월요일 기자회견에서 새 부두가 내년에 열린다고 말했다."),
    ],
)
def test_encodings_of_several_bytes_are_left_to_the_library(tmp_path, name, text):
    [document] = read(tmp_path, (text * 3).encode(name), "a.txt")
    assert document.text == text * 3


def test_every_candidate_has_a_name_to_show():
    assert set(CANDIDATES) | {"utf-16-le", "utf-16-be"} == set(NAMES)


@pytest.mark.parametrize("data", [bytes(range(128, 256)), b"caf\xff\x81\x8d \x90\x9d\x81 \xa4\xa6\xac"])
def test_what_no_language_explains_is_not_guessed(data):
    assert guess_charset(data) == ""


def table(rows, name, delimiter=";", ending="\r\n"):
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator=ending).writerows(rows)
    return sink.getvalue().encode(name)


@pytest.mark.parametrize("number", [1, 10, 400])
@pytest.mark.parametrize(
    ("name", "speakers"),
    [
        ("cp1252", ["Begoña Íñiguez", "Ramón Peña"]),
        ("cp1252", ["Hélène Crépeau", "Noël Lebœuf"]),
        ("cp1252", ["João Simões", "Åke Björk", "Zoë Müller", "Bjørg Sæther"]),
        ("cp1250", ["Zdeněk Přibyl", "Bohumil Růžička"]),
        ("cp1250", ["Wiesław Gałązka", "Stanisław Świętochowski"]),
        ("cp1254", ["Ayşe Yıldırım", "Doğan Işık"]),
        ("cp1251", ["Сергей Петров", "Мария Захарова"]),
    ],
)
def test_a_table_of_mostly_ascii_cells(tmp_path, name, speakers, number):
    rows = [[str(i), speakers[i % len(speakers)], ENGLISH + str(i)] for i in range(number)]
    found = read(tmp_path, table([["id", "speaker", "text"], *rows], name), "a.csv")
    assert [document.speaker for document in found] == [row[1] for row in rows]


def test_a_name_late_in_a_large_table_decides_for_the_whole(tmp_path):
    rows = [[str(i), "Ann", ENGLISH * 3] for i in range(3000)] + [["3000", "Señor Muñoz", ENGLISH]]
    content = table([["id", "speaker", "text"], *rows], "cp1252")
    assert len(content) > 600_000
    found = read(tmp_path, content, "a.csv")
    assert found[-1].speaker == "Señor Muñoz" and len(found) == 3001
    assert read(tmp_path, gzip.compress(content), "a.csv.gz")[-1].speaker == "Señor Muñoz"


def test_lines_of_an_old_mac(tmp_path):
    rows = [["id", "speaker", "text"], ["1", "Müller, Jörg", "He said: “Grüße” – and left."]]
    [document] = read(tmp_path, table(rows, "mac_roman", ending="\r"), "a.csv")
    assert (document.speaker, document.text) == ("Müller, Jörg", "He said: “Grüße” – and left.")


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["Señor Muñoz spoke.", "Президент сказал, что всё готово."])
def test_utf16_without_a_mark(tmp_path, name, text):
    [document] = read(tmp_path, f"Note\n\n{text}\n".encode(name), "a.txt")
    assert document.text == f"Note\n\n{text}\n"
    content = table([["id", "text"], ["1", text]], name, delimiter="\t")
    [document] = read(tmp_path, content, "a.csv")
    assert document.text == text and describe_guess(tmp_path / "a.csv") == "UTF-16 without a byte order mark"


def test_json_lines_are_read_in_the_encoding_of_the_whole_file(tmp_path):
    [document] = read(tmp_path, '{"text": "Le café d’Hélène."}\n'.encode("cp1252"), "a.jsonl")
    assert document.text == "Le café d’Hélène."


def test_utf8_with_damage_stays_utf8(tmp_path):
    good = "Le café d’Hélène, très près de Besançon.\n" * 5
    path = tmp_path / "a.csv"
    path.write_bytes(b"text\n" + good.encode() + b"Cut off: Besan\xc3\n")
    assert detect_encoding(path).name == "utf-8" and describe_guess(path) == ""


def test_a_character_cut_by_the_scan_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "HEAD_BYTES", 8)
    monkeypatch.setattr(encoding, "SCANNED_BYTES", 3)
    path = tmp_path / "a.csv"
    path.write_text("text\nПервая строка и €\n" * 3, "utf-8")
    assert detect_encoding(path).name == "utf-8"
    path.write_bytes("text\nПервая строка и вторая\n".encode("cp1251") * 3)
    assert detect_encoding(path).name == "cp1251"


def test_a_text_in_two_encodings_is_refused(tmp_path):
    [rejected] = read(tmp_path, "Le café.\nLa façade.\n".encode() + "Le naïf.\n".encode("cp1252"), "a.txt")
    assert isinstance(rejected, Rejected) and "line 3 is not UTF-8" in rejected.reason


def test_the_guess_is_named_and_utf8_is_none(tmp_path):
    read(tmp_path, "Señor Muñoz habló.".encode("cp1252"), "a.txt")
    assert describe_guess(tmp_path / "a.txt") == NAMES["cp1252"]
    [document] = read(tmp_path, "Señor Muñoz habló.", "b.txt")
    assert isinstance(document, RawDocument) and describe_guess(tmp_path / "b.txt") == ""
