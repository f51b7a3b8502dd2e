"""Furniture away; title, lead, headings and body told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.model import RawDocument, RawParagraph
from narratives.parse.segmentation import count_words, is_boilerplate, segment_document

ICONS = "icon bell-bicon bellicon clockicon cupicon dooricon eggicon fan"


def kinds(text: str, title: str = "") -> list[tuple[str, str]]:
    return [(b.kind, b.text) for b in segment_document(RawDocument("x.txt", text=text, title=title)).blocks]


@pytest.mark.parametrize(
    "line",
    [
        ICONS,
        "READ MORE: ‘Odd claims’: the other side answers",
        "Share this story!",
        "Podcasts",
        "0:00",
        "31:4",
        "1,204 views",
        "Поделиться:",
        "Print:",
        "All news",
        "This email address is being protected from spambots. You need JavaScript to see it.",
        "(44-20) 5550-1234/35;",
        "Your message has been sent. Thank you!",
        "Sorry, an error has occurred and your e-mail has not been sent.",
        "You cannot enter more than five e-mail addresses.",
        "Invalid entry: please type the code again.",
        "Your email address will not be published. Required fields are marked *",
        "Leave a reply",
        "14 comments",
        "Comments are closed.",
        "Follow us on Telegram and YouTube",
        "This website uses cookies to give you the best experience.",
        "By continuing to browse the site you agree to our use of cookies.",
        "Subscribe to our weekly newsletter",
        "Sign up and get our best stories in your inbox every day!",
        "For more information, please contact the press service of the port.",
        "Press enquiries: Olga Hale",
        "Press Service, phone: +47 55 01 02 03",
        "press.office@port.example.org",
        "- ENDS -",
        "© 2018 Port of Hesk",
        "Port of Hesk. All rights reserved.",
    ],
)
def test_furniture_is_recognised(line):
    assert is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "Read more books, he told them.",
        "Printing money is no answer.",
        "Views differ on this point.",
        "526.",
        "The icon of the saint was returned.",
        "Share the burden and the country will be stronger.",
        "Your message was received in our capital with great attention.",
        "Your request was submitted to the parliament yesterday.",
        "An error occurred in 1954, and the whole peninsula was given away.",
        "You cannot enter our country with such a passport.",
        "Please enter into talks with them, I told the minister.",
        "They left a comment that nobody forgot.",
        "Join us on this path to peace.",
        "We use gas, and they use cookies.",
        "Subscribe to this treaty, we told them, and nothing will happen to you.",
        "For more information they went to the embassy.",
        "The President spoke by phone 12 times with his colleague.",
        "Copyright law of 1998 has to be changed, he said.",
        "Everything ends.",
        "He said that the end of the war was near: 30 days.",
    ],
)
def test_sentences_are_no_furniture(line):
    assert not is_boilerplate(line)


def test_page_with_furniture_on_all_sides():
    text = f"""{ICONS}
9 Mar, 2017 10:15

Ministers agree on grain – Farm minister to RT

Ministers agree on grain – Farm minister to RT

The deal on grain is done, the farm minister told RT. It took a year.

“It took long,” he said of the talks.

READ MORE: Grain prices at a ten-year low

The harvest begins in June.

Share this story!

Podcasts
0:00
12:3"""
    layout = segment_document(RawDocument("x.txt", text=text))
    assert layout.rt and layout.header == ("9 Mar, 2017 10:15",)
    assert layout.boilerplate == 8
    assert [b.kind for b in layout.blocks] == ["title", "lead", "body", "body"]
    assert layout.title == "Ministers agree on grain – Farm minister to RT"


def test_contents_list_and_footer_go_and_headings_stay():
    text = """Weekly briefing, Minsk, May 4, 2016

Monday, 9 May 2016 08:00

    Talks on the river border
    The harvest this year
    Answers to media questions:
    A question that has no heading of its own


Talks on the river border


The talks began on Monday. They go on.


The harvest this year


The harvest is good.


Answers to media questions:

Question: When do the talks end?

Popular articles

03 August 2018

Weekly briefing, Minsk,...
"""
    layout = segment_document(RawDocument("x.txt", text=text))
    assert [(b.kind, b.text) for b in layout.blocks] == [
        ("title", "Weekly briefing, Minsk, May 4, 2016"),
        ("heading", "Talks on the river border"),
        ("body", "The talks began on Monday. They go on."),
        ("heading", "The harvest this year"),
        ("body", "The harvest is good."),
        ("heading", "Answers to media questions:"),
        ("body", "Question: When do the talks end?"),
    ]
    assert layout.boilerplate == 1 + 1 + 3


def test_what_stands_between_title_and_dateline_is_the_lead():
    text = "Grain deal done\n\nIt was long awaited.\n\nMINSK, May 4. /TASS/. The deal is done.\n\nIt holds."
    assert [k for k, _ in kinds(text)] == ["title", "heading", "body", "body"]


def test_given_title_comes_first_and_its_repetition_goes():
    found = kinds("A long enough title\n\nThe text begins.", title="A long enough title")
    assert found == [("title", "A long enough title"), ("body", "The text begins.")]


def test_lines_are_paragraphs_unless_they_were_wrapped():
    assert [t for _, t in kinds("First one here.\nSecond one here.\nThird one here.")] == [
        "First one here.",
        "Second one here.",
        "Third one here.",
    ]
    wrapped = (
        "This paragraph was broken by hand after some sixty characters\n"
        "because somebody thought that screens would stay narrow, and\n"
        "it ends here."
    )
    assert len(kinds(wrapped)) == 1
    broken = "This line was cut by the end of a page and the sentence goes\n\non over there. It is one paragraph."
    assert len(kinds(broken)) == 1


def test_separator_is_counted_and_remembered_but_an_omission_does_not_end_a_turn():
    raw = RawDocument(
        "x.jsonl", paragraphs=tuple(RawParagraph(t) for t in ("One is said.", "* * *", "Two is said.", "<…>", "Three."))
    )
    layout = segment_document(raw)
    assert [b.after_break for b in layout.blocks] == [False, True, False]
    assert layout.boilerplate == 2


def test_labelled_paragraph_is_body_whatever_it_looks_like():
    raw = RawDocument("x.jsonl", paragraphs=(RawParagraph("Thank you", "A. Host"), RawParagraph("Speech at the fair")))
    assert [b.kind for b in segment_document(raw).blocks] == ["body", "heading"]


PROSE = [
    "The ministers spoke for three hours about the price of grain and about the state of the roads.",
    "They agreed that the roads should be mended before the harvest, and that somebody should pay for it.",
    "Who that somebody might be was left for another day, as it had been left in each of the past years.",
]


def test_a_footer_ends_plain_text_where_teasers_follow():
    text = "\n\n".join([*PROSE, "Related news:", "Grain is dear again", "Roads to be mended, says minister."])
    found = segment_document(RawDocument("x.txt", text=text, title="Grain"))
    assert [b.text for b in found.blocks[1:]] == PROSE and found.boilerplate == 3


def test_a_footer_is_a_heading_where_an_article_follows():
    text = "\n\n".join([PROSE[0], "Latest news", *PROSE])
    assert [kind for kind, _ in kinds(text, "Grain")] == ["title", "body", "heading", "body", "body", "body"]
    assert len(kinds("\n\n".join([PROSE[0], "Latest news", *PROSE[:2]]), "Grain")) == 2


def test_rows_of_paragraphs_have_no_footer():
    texts = [PROSE[0], "Related news:", "The rest was short."]
    raw = RawDocument("x.jsonl", title="Grain", paragraphs=tuple(RawParagraph(text) for text in texts))
    assert [b.text for b in segment_document(raw).blocks[1:]] == texts


@pytest.mark.parametrize(
    "text",
    [
        "Good talks in Minsk today\nMore on this tomorrow morning",
        "So is this how it ends\nNobody asked us about it",
        "Great day in the Far East\n\nFactories are opening\n\nRoads are being built",
    ],
)
@pytest.mark.parametrize("title", ["", "A post"])
def test_a_post_without_full_stops_is_body(text, title):
    lines = [("body", line) for line in text.split("\n") if line]
    assert kinds(text, title) == [("title", title)] * bool(title) + lines


def test_a_post_whose_title_is_its_text_is_body_as_well():
    said = "Good talks in Minsk today"
    assert kinds(said, said) == [("title", said), ("body", said)]
    raw = RawDocument("x.jsonl", title=said, paragraphs=(RawParagraph(said),))
    assert [b.kind for b in segment_document(raw).blocks] == ["title", "body"]


def test_what_a_page_itself_marks_as_headings_is_no_body():
    marked = tuple(RawParagraph(f"Good talks in {place} today", kind="heading") for place in ("Minsk", "Oslo"))
    raw = RawDocument("x.html", title="News", paragraphs=marked)
    assert [b.kind for b in segment_document(raw).blocks] == ["title", "heading", "heading"]


WORDS = st.lists(st.sampled_from(["Grain", "roads", "and", "harvest", "we", "Minsk", "talks"]), min_size=1)
LINES = st.lists(WORDS.map(" ".join), min_size=1, max_size=6)


@given(LINES, st.sampled_from(["", ".", "?", "!", ":"]), st.sampled_from(["\n", "\n\n"]), st.booleans())
def test_a_text_of_five_words_has_a_body(lines, end, between, is_row):
    lines = [line + end for line in lines]
    text = between.join(lines)
    raw = RawDocument("x", paragraphs=tuple(map(RawParagraph, lines))) if is_row else RawDocument("x", text=text)
    blocks = segment_document(raw).blocks
    assert count_words(text) < 5 or any(block.kind == "body" for block in blocks)


def test_a_lead_is_a_sentence_and_a_short_line_above_the_text_stays_a_heading():
    paragraphs = (RawParagraph("OSLO, May 4. /TASS/. The ferry will sail again in June, the mayor said."),)

    def get_kinds(lead):
        raw = RawDocument("x", title="Ferry", paragraphs=paragraphs, lead=lead)
        return [block.kind for block in segment_document(raw).blocks]

    assert get_kinds("The mayor says that the old ferry is safe.") == ["title", "lead", "body"]
    assert get_kinds("A ferry on the fjord") == ["title", "heading", "body"]
    assert get_kinds("It is safe.") == ["title", "heading", "body"]
    assert get_kinds("") == ["title", "body"]


@pytest.mark.parametrize("leader", [" ........ ", "…… ", " . . . . ", "\t......."])
def test_a_table_of_contents_with_page_numbers_goes(leader):
    contents = "\n".join(
        f"{title}{leader}{n}" for n, title in enumerate(("1. The port", "2. The strait", "The lamps"), 3)
    )
    text = (
        f"Report\n\nContents\n{contents}\n\n1. The port\n\nThe council met on Monday and agreed to repair the old pier."
    )
    assert kinds(text) == [
        ("title", "Report"),
        ("heading", "1. The port"),
        ("body", "The council met on Monday and agreed to repair the old pier."),
    ]


def test_numbered_points_stay_with_their_numbers():
    points = [
        "1. Repair of the old pier and of the lamps",
        "2. Welcomes the report of the captain;",
        "3. Ends the talks.",
    ]
    text = "\n\n".join(["Resolution", "The council met on Monday and agreed on this.", *points])
    assert kinds(text)[2:] == [("body", point) for point in points]


ABOUT = "The Port of Hesk was founded in 1921 and employs two hundred people on the island."
STORY = ["The council met on Monday and agreed to repair the old pier.", "The work begins in March, said the captain."]


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("About the Port of Hesk", [ABOUT]),
        ("About the Port of Hesk:", [ABOUT, "It is open on all days but Sunday."]),
        ("About us", ["We are a small paper and publish every week."]),
        ("About the author", ["Olga Hale is a writer who lives in Hesk."]),
    ],
)
def test_what_the_publisher_says_of_itself_is_no_statement(heading, section):
    text = "\n\n".join(["Pier to be repaired", *STORY, heading, *section])
    found = segment_document(RawDocument("x.txt", text=text))
    assert [b.text for b in found.blocks] == ["Pier to be repaired", *STORY] and found.boilerplate == 1 + len(section)
    paragraphs = [RawParagraph(t) for t in STORY] + [RawParagraph(heading, kind="heading"), *map(RawParagraph, section)]
    assert len(segment_document(RawDocument("x.html", paragraphs=tuple(paragraphs))).blocks) == len(STORY)


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("About the Council", ["The Council was wrong to decide on this without us, and we will not accept it."]),
        ("About the Strait", ["Nobody is going to close it, the minister said."]),
        ("About sanctions", ["Sanctions are the weapon of those who have no arguments."]),
        ("About the Port of Hesk", [ABOUT, *STORY, *STORY]),
        ("On the Port of Hesk", [ABOUT]),
    ],
)
def test_a_last_section_that_states_something_stays(heading, section):
    text = "\n\n".join(["Pier to be repaired", *STORY, heading, *section])
    assert [block_text for _, block_text in kinds(text)][-len(section) :] == section
