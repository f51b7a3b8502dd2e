"""PDF files: the paragraphs that their lines form, in the order of reading."""

from __future__ import annotations

import textwrap

import pytest

from narratives.read import pdf as pdf_reader
from tests.helpers.pdf import draw_pdf, make_pdf, set_lines
from tests.helpers.reading import read

BRIDGE = (
    "The town council of Arnholm voted on Monday to rebuild the old swing bridge, which a barge had damaged in the "
    "autumn, and to ask the county for half of the money that the work will need over the next three years."
)
FERRY = (
    "Two members spoke against the plan because the ferry carries more people than the bridge ever did, and because "
    "nobody had shown them a bill; the mayor promised to send every household a letter about the matter before June."
)
SCHOOL = (
    "The school on the north bank will open its new hall in September, when the last of the scaffolding is gone, and "
    "the pupils who now take the bus across the river will walk there along a path that is lit until nine o’clock."
)
HARBOUR = (
    "Nothing was decided about the harbour office, whose roof has let in rain since the storm of last year, although "
    "the clerk had asked for a decision in writing and had brought the bills of two roofers from the next town."
)
LONG = [BRIDGE, FERRY, SCHOOL, HARBOUR]


def wrap(text, width=80):
    return textwrap.wrap(text, width, break_on_hyphens=False)


def paragraphs(tmp_path, content):
    [found] = read(tmp_path, content, "a.pdf")
    return found.text.split("\n\n")


def test_indents_mark_paragraphs_even_after_a_full_line(tmp_path):
    lines = [line for text in LONG for line in ["    " + wrap(text)[0], *wrap(text)[1:-1], wrap(text)[-1]]]
    lines[2] += " " + "x" * (78 - len(lines[2])) + "."
    found = paragraphs(tmp_path, draw_pdf(set_lines(lines)))
    assert [text[:9] for text in found] == [text[:9] for text in LONG]


def test_a_small_gap_marks_paragraphs_even_after_a_full_line(tmp_path):
    full = f"{BRIDGE} {'And so on. ' * 4}Full."
    lines = [*wrap(full, 60), "", *wrap(FERRY, 60), "", *wrap(SCHOOL, 60)]
    assert paragraphs(tmp_path, draw_pdf(set_lines(lines))) == [full, FERRY, SCHOOL]


def test_lines_with_twice_the_distance_are_one_paragraph(tmp_path):
    lines = [*wrap(BRIDGE), "", *wrap(FERRY)]
    assert paragraphs(tmp_path, draw_pdf(set_lines(lines, leading=28))) == [BRIDGE, FERRY]


def test_short_last_lines_mark_paragraphs(tmp_path):
    texts = [text.rpartition(",")[0] + "." for text in LONG]
    lines = [line for text in texts for line in wrap(text, 78)]
    found = paragraphs(tmp_path, draw_pdf(set_lines(lines)))
    assert " ".join(found) == " ".join(texts) and len(found) >= 3


@pytest.mark.parametrize("leading", [12, 14, 18])
def test_two_columns_drawn_line_by_line_are_read_one_after_the_other(tmp_path, leading):
    left, right = wrap(f"{BRIDGE} {FERRY}", 40), wrap(f"{SCHOOL} {HARBOUR}", 40)
    rows = [
        piece
        for pair in zip(set_lines(left, leading=leading), set_lines(right, 320, leading=leading), strict=False)
        for piece in pair
    ]
    title = [(60, 50, "Council meeting of Arnholm")]
    found = paragraphs(tmp_path, draw_pdf([*title, *rows]))
    assert found[0] == "Council meeting of Arnholm"
    assert " ".join(found[1:]).split()[:30] == f"{BRIDGE} {FERRY}".split()[:30]
    assert " ".join(found).index(SCHOOL[:30]) > " ".join(found).index("before June")


def test_a_sentence_runs_on_from_one_column_to_the_next_and_to_the_next_page(tmp_path):
    words = " ".join(LONG)
    lines = wrap(words, 40)
    quarter = len(lines) // 4 + 1
    columns = [lines[i * quarter : (i + 1) * quarter] for i in range(4)]
    pages = [[*set_lines(columns[i]), *set_lines(columns[i + 1], 320)] for i in (0, 2)]
    assert " ".join(paragraphs(tmp_path, draw_pdf(*pages))) == words


def test_columns_whose_lines_do_not_stand_level(tmp_path):
    left, right = wrap(f"{BRIDGE} {FERRY}", 40), wrap(f"{SCHOOL} {HARBOUR}", 40)
    pieces = [*set_lines(left, leading=13), *set_lines(right, 320, y=87, leading=15)]
    found = paragraphs(tmp_path, draw_pdf(sorted(pieces, key=lambda piece: piece[1])))
    assert " ".join(found) == f"{BRIDGE} {FERRY} {SCHOOL} {HARBOUR}"


def test_three_columns(tmp_path):
    texts = [f"{BRIDGE} {FERRY}", f"{SCHOOL} {HARBOUR}", f"{FERRY} {SCHOOL}"]
    columns = [set_lines(wrap(text, 28), x, leading=12) for text, x in zip(texts, (40, 220, 400), strict=True)]
    rows = [piece for row in zip(*columns, strict=False) for piece in row]
    found = paragraphs(tmp_path, draw_pdf(rows, size=10))
    assert " ".join(found).split()[:20] == texts[0].split()[:20]


def test_a_title_across_the_columns_parts_what_stands_above_and_below(tmp_path):
    def two(top, bottom, y):
        return [*set_lines(wrap(top, 40), y=y), *set_lines(wrap(bottom, 40), 320, y=y)]

    middle = [(60, 200, "The second half of the meeting was about other matters of the town and its schools")]
    found = paragraphs(tmp_path, draw_pdf([*two(BRIDGE, FERRY, 80), *middle, *two(SCHOOL, HARBOUR, 240)]))
    assert [text[:20] for text in found] == [BRIDGE[:20], FERRY[:20], middle[0][2][:20], SCHOOL[:20], HARBOUR[:20]]


def test_a_table_is_no_text_in_columns(tmp_path):
    rows = [("Anna Berg", "for the bridge"), ("Olaf Lind", "against it"), ("Sara Holm", "for the bridge")] * 3
    pieces = [(x, 100 + 14 * i, cell) for i, row in enumerate(rows) for x, cell in zip((60, 320), row, strict=True)]
    found = " ".join(paragraphs(tmp_path, draw_pdf(pieces)))
    assert found.startswith("Anna Berg for the bridge Olaf Lind against it")


def test_a_letterhead_beside_a_text_makes_no_columns(tmp_path):
    head = [(400, 40 + 12 * i, line) for i, line in enumerate(["Town of Arnholm", "Quay 4", "Post box 11", "Mayor"])]
    found = paragraphs(tmp_path, draw_pdf([*head, *set_lines(wrap(BRIDGE), y=120)]))
    assert found[-1] == BRIDGE


HEAD = "Arnholm Gazette"


def pages_with(head, foot, number=4):
    return [
        [*head(i), *set_lines(wrap(LONG[i]), y=100), *foot(i)]
        for i in range(number)
    ]  # fmt: skip


@pytest.mark.parametrize("number", [2, 3, 4])
def test_running_titles_from_the_second_page_on(tmp_path, number):
    def head(i):
        return [(60, 50, f"{HEAD}, no. 7")] if i else [(60, 50, "A bridge for Arnholm")]

    pages = pages_with(head, lambda i: [(290, 800, f"– {i + 1} –")], number)
    found = paragraphs(tmp_path, draw_pdf(*pages))
    expected = ["A bridge for Arnholm", *LONG[:number]]
    # What stands on one page only may be a heading.
    assert found == (expected if number > 2 else [*expected[:2], f"{HEAD}, no. 7", expected[2]])


def test_running_titles_that_differ_on_left_and_right_pages(tmp_path):
    def head(i):
        return [(60, 50, f"{i + 1}   {HEAD}")] if i % 2 else [(300, 50, f"Minutes of the council   {i + 1}")]

    assert paragraphs(tmp_path, draw_pdf(*pages_with(head, lambda _: []))) == LONG


def test_titles_of_chapters_beside_numbers_that_count_with_the_pages(tmp_path):
    titles = ["Bridges", "Bridges", "Schools", "The harbour"]
    pages = pages_with(lambda i: [(60, 50, f"Chapter on {titles[i]}"), (500, 50, str(i + 7))], lambda _: [])
    assert paragraphs(tmp_path, draw_pdf(*pages)) == LONG


def test_a_numbered_heading_is_a_paragraph(tmp_path):
    lines = [*wrap(BRIDGE), "", "2.1 Schools", *wrap(SCHOOL)]
    assert paragraphs(tmp_path, draw_pdf(set_lines(lines))) == [BRIDGE, "2.1 Schools", SCHOOL]


def test_a_title_that_later_pages_repeat_remains_on_the_first(tmp_path):
    pages = pages_with(lambda _: [(60, 50, "A bridge for Arnholm")], lambda _: [])
    assert paragraphs(tmp_path, draw_pdf(*pages)) == ["A bridge for Arnholm", *LONG]


def test_a_year_at_the_end_of_a_page_is_no_page_number(tmp_path):
    first = [
        *set_lines([*wrap(FERRY)[:2], "as the council had already decided in the long winter of the year", "1911"])
    ]
    second = set_lines(["and again after the war, when the bridge was new.", *wrap(SCHOOL)])
    assert "of the year 1911 and again after the war" in " ".join(paragraphs(tmp_path, draw_pdf(first, second)))


def test_a_footnote_comes_after_the_paragraph_that_it_interrupts(tmp_path):
    lines = wrap(BRIDGE + " " + FERRY)
    lines[1] += "1"
    first = [
        *set_lines(lines[:3]),
        *set_lines(["1 Minutes of the council, no. 12, p. 4.", "They are in the archive."], y=700),
    ]
    found = paragraphs(tmp_path, draw_pdf(first, set_lines(lines[3:])))
    assert found == [f"{BRIDGE} {FERRY}", "1 Minutes of the council, no. 12, p. 4. They are in the archive."]


def test_a_numbered_list_at_the_bottom_is_no_footnote(tmp_path):
    lines = [*wrap(BRIDGE), "", "", "1. The bridge is to be rebuilt.", "2. The ferry is to run until then."]
    found = paragraphs(tmp_path, draw_pdf(set_lines(lines)))
    assert found == [BRIDGE, "1. The bridge is to be rebuilt.", "2. The ferry is to run until then."]


def test_hyphens_at_line_ends(tmp_path):
    lines = [
        "The council, which is well-known for its long meet-",
        "ings and its short-tempered mayor, heard the short-",
        "tempered man speak about self-",
        "government, and about the north-east and the north-",
        "east wind, for the co-",
        "operation of all towns on the coast of the wide sea.",
    ]
    [found] = paragraphs(tmp_path, draw_pdf(set_lines(lines)))
    assert "long meetings and" in found and "the short-tempered man" in found
    assert "self-government" in found and "the north-east wind" in found and "the cooperation of" in found


def test_labels_start_paragraphs_after_full_lines(tmp_path):
    answer = "Anna Berg: We shall rebuild the bridge, and we shall do it before the winter comes back here."
    question = "Question: Who is going to pay for it, and when will the people of the town be told about this?"
    assert paragraphs(tmp_path, draw_pdf(set_lines([question, answer, question, answer]))) == [question, answer] * 2


def test_a_text_in_a_form_is_read_too(tmp_path):
    stream = "BT /F1 11 Tf 1 0 0 1 60 700 Tm (The bridge is closed.) Tj ET"
    [found] = paragraphs(tmp_path, make_pdf([stream]))
    assert found == "The bridge is closed."


def test_a_text_drawn_far_outside_takes_no_memory(tmp_path):
    pieces = [(10_000_000 * (i % 7), 10_000_000 * i, f"Word {i}.") for i in range(300)]
    assert len(" ".join(paragraphs(tmp_path, draw_pdf(pieces)))) < 10_000


def test_where_the_layout_fails_the_plain_text_is_read(tmp_path, monkeypatch):
    content = draw_pdf(set_lines([*wrap(BRIDGE), "", *wrap(FERRY)]))
    monkeypatch.setattr(pdf_reader, "MAX_LAYOUT_CHARACTERS", 0)
    assert " ".join(paragraphs(tmp_path, content)) == f"{BRIDGE} {FERRY}"
