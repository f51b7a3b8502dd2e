"""Speakers and voices on labelled articles of our own: every pattern of reporting, and doubt left open."""

from __future__ import annotations

import pytest

from benchmarks.accuracy_articles import ARTICLES, ATTRIBUTIONS, Tally, list_attributions, measure
from narratives.model import RawDocument
from narratives.parse import parse_document
from narratives.parse.attribution.lexicon import inflect_verbs
from tests.helpers.parse_roster import ROSTER

MEASURED_ONLY = ("fourteenth", "fifteenth")  # sets for which little or nothing was changed


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return measure()


def test_there_are_enough_labels_to_count(tallies):
    assert sorted(tallies) == sorted(path.stem for path in ARTICLES.glob("*.toml"))
    assert sum(t.named for t in tallies.values()) >= 150


@pytest.mark.parametrize("name", sorted(path.stem for path in ARTICLES.glob("*.toml")))
def test_the_source_is_named_and_hardly_ever_wrongly(tallies, name):
    t = tallies[name]
    if name in MEASURED_ONLY:
        assert t.quoted_right >= 0.92 * t.quoted and t.quoted_wrong <= 0.03 * t.quoted, t.details
        return
    assert t.right >= 0.95 * t.named and t.wrong <= 0.01 * t.named, t.details
    assert t.quoted_right >= 0.95 * t.quoted and t.quoted_wrong <= 0.01 * t.quoted, t.details
    assert t.forced == 0, t.details
    assert t.voices >= 0.96 * t.paragraphs, t.details
    assert t.passed_on_right == t.passed_on


def test_no_attribution_changes_unseen():
    """Read the differences. If they are wanted, run `python -m benchmarks.accuracy_articles --record`."""
    recorded = (ARTICLES / ATTRIBUTIONS).read_text("utf-8")
    assert list_attributions().splitlines() == recorded.splitlines()


def bodies(*texts, title="A title of no interest", **fields):
    raw = RawDocument("x", text="\n\n".join(texts), title=title, date="2016-12-14", **fields)
    return [p for p in parse_document(raw, ROSTER).paragraphs if p.kind == "body"]


LEAD = "Vladimir Putin sent his greetings to the skaters."
AFTER = "The rink has been open since the year before last."


def test_what_follows_the_message_reads_is_by_its_sender():
    found = bodies(
        "The message reads, in part:", "“It is a pleasure to see you here.", "We wish you ice.”", AFTER, lead=LEAD
    )
    assert [(p.speaker, p.voice, p.speaker_method) for p in found] == [
        ("", "outlet", ""),
        ("Vladimir Putin", "quoted", "sender"),
        ("Vladimir Putin", "quoted", "continuation"),
        ("", "outlet", ""),
    ]


def test_a_message_within_its_announcement_is_by_its_sender():
    [found] = bodies("The message reads, in part: “It is a pleasure to see all of you here.”", lead=LEAD)
    assert (found.speaker, found.speaker_method) == ("Vladimir Putin", "sender")


@pytest.mark.parametrize("lead", ["", "Greetings were sent to the skaters."])
def test_a_message_without_a_sender_is_nobodys(lead):
    found = bodies("The message reads, in part:", "“It is a pleasure to see you here.”", lead=lead)
    assert [p.speaker for p in found] == ["", ""]


def test_a_quotation_beside_somebody_unnamed_goes_to_nobody_else():
    first = "The pier is not for sale, Kremlin spokesman Dmitry Peskov told reporters."
    for second in (
        "“They have measured it twice this month,” a fisherman said.",
        "A woman with a dog was not so sure. “They have measured it twice this month,” she said.",
        "“They have measured it twice this month,” the letter says.",
        "“They have measured it twice this month,” the President of Ruritania remarked.",
    ):
        assert bodies(first, second)[1].speaker == "", second


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Putin’s claims that all was well went unheard.", ""),
        ("Lavrov vowed to leave the hall.", ""),
        ("Lavrov vowed that he would leave the hall.", "Sergei Lavrov"),
        ("Lavrov visited the dock and praised the crew, adding that the ship was a beauty.", "Sergei Lavrov"),
        ("“It is a fine ship,” said the captain of the fleet, Ivan Petrenko.", "Ivan Petrenko"),
        ("“It is a fine ship,” grumbled Ivan Petrenko, a pilot.", "Ivan Petrenko"),
        ("“It is a fine ship and it floats,” Petrenko said.", "Petrenko"),
        ("“It is a fine ship and it floats,” officials said.", ""),
        ("“It is a fine ship and it floats,” Moscow said.", ""),
    ],
)
def test_verbs_and_subjects(text, speaker):
    assert bodies(text)[0].speaker == speaker


def test_she_is_not_a_man_and_he_no_woman():
    found = bodies(
        "Ivan Petrenko said the ship was fine.",
        "Maria Zakharova said the dock was dry.",
        "“I built it and I know it well,” he said.",
        "“I saw it and I liked it,” she said.",
    )
    assert [p.speaker for p in found] == ["Ivan Petrenko", "Maria Zakharova", "Ivan Petrenko", "Maria Zakharova"]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Lavrov on Thursday accused the critics of “measuring the ship with a spoon.”", "Sergei Lavrov"),
        ("In a letter, Lavrov called the ship “fine.”", "Sergei Lavrov"),
        ("In a hurry, Lavrov called a cab.", ""),
        ("“It is a fine ship and it floats,” Lavrov’s letter said.", "Sergei Lavrov"),
        ("“It is a fine ship and it floats,” the harbour’s letter said.", ""),
        ("According to pollster Ivan Petrenko, “most of them like the ship.”", "Ivan Petrenko"),
        ("@SergeiLavrov_real wrote: “It is a fine ship and it floats!”", "Sergei Lavrov"),
        ("@shipfan wrote: “It is a fine ship and it floats!”", ""),
    ],
)
def test_how_people_speak(text, speaker):
    assert bodies("Sergei Lavrov went to the dock.", text)[1].speaker == speaker


def test_a_handle_that_is_nobodys_lends_no_earlier_speaker():
    said = "“It is a fine ship and it floats,” Ivan Petrenko said."
    assert bodies(said, "@shipfan wrote: “It is not a fine ship at all!”")[1].speaker == ""


def test_who_is_asked_answers():
    [found] = bodies("Asked by a reporter whether it floats, Lavrov nodded. “It does so every day,” he said.")
    assert found.speaker == "Sergei Lavrov"


def test_an_epithet_is_the_one_whom_the_title_lets_speak():
    title = "Petrenko says the ship floats"
    after = "Ivan Petrenko has built ships for years."
    found = bodies("“It is a fine ship and it floats,” the local tycoon said.", after, title=title)
    assert found[0].speaker == "Ivan Petrenko"
    for other in ("a local tycoon said.", "the letter said.", "the President of Ruritania said."):
        assert bodies(f"“It is a fine ship and it floats,” {other}", after, title=title)[0].speaker == ""


def test_a_post_before_the_name_is_learned():
    found = bodies(
        "The harbour commissioner, Ivan Petrenko, replied that it floats.",
        "“It has done so since the spring,” the commissioner said.",
    )
    assert [p.speaker for p in found] == ["Ivan Petrenko", "Ivan Petrenko"]


HALE = "Victoria Hale, the Democratic nominee, met Doug Frain, her spokesman, and Rex Mallory in Toledo."


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Hale ended the night with a promise: “We are not going back to the old ways.”", "Victoria Hale"),
        ("Mallory’s reply was swift. “I never met the man in all my life.”", "Rex Mallory"),
        ("The man’s visit prompted Mallory to declare: “My hands are the best hands.”", "Rex Mallory"),
        ("Among the doubters is Whit Lang, a party elder. “I have seen it,” he said.", "Whit Lang"),
        ("In Mahoning County, the chairwoman, Ann Kow, was unmoved. “I have waited,” she said.", "Ann Kow"),
        ("Rep. Whit Lang (R-Wis.) called the plan “dead before it came.”", "Whit Lang"),
        ("Rep. Whit Lang of Ohio, a member of the Barge Caucus, compared it to “a wet sock.”", "Whit Lang"),
        ("Mallory, speaking at a rally in Akron, Ohio, said she was “a walking excuse.”", "Rex Mallory"),
        ("When a reporter asked Hale about it, she laughed. “They can hear it,” she said.", "Victoria Hale"),
        ("“They can hear it for themselves,” the Democratic nominee said.", "Victoria Hale"),
        ("Mallory, she said on Friday, is “exactly who he says he is.”", "Victoria Hale"),
        ("“I know what they want,” muttered Mallory as Hale spoke.", "Rex Mallory"),
        ("Frain would say only that it was “nearly done, or so.”", "Doug Frain"),
        ("The vote is “being stolen in daylight,” in the words of Rex Mallory.", "Rex Mallory"),
        ("“That’s a steep hill,” said a Mallory supporter from Dubuque.", ""),
        ("Two people close to Mallory said they were “done with all of this.”", ""),
        ("Mallory was greeted with chants of “One ride! One ride! One ride!”", ""),
        ("The ad calls Mallory “a carnival with only one ride in it.”", ""),
        ("The Hale campaign called the report “a complete work of fiction.”", ""),
    ],
)
def test_whose_the_quotation_is(text, speaker):
    assert bodies(HALE, text)[1].speaker == speaker


def test_whoever_was_asked_answers():
    found = bodies(
        HALE,
        "“What do you tell the families?” Victoria Hale asked Rex Mallory.",
        "“I tell them that it is late,” he replied.",
        "“That is no answer,” said Hale.",
    )
    assert [p.speaker for p in found[1:]] == ["Victoria Hale", "Rex Mallory", "Victoria Hale"]


@pytest.mark.parametrize(
    ("base", "past", "present"),
    [
        ("reply", "replied", "replies"),
        ("quip", "quipped", "quips"),
        ("confess", "confessed", "confesses"),
        ("say", "said", "says"),
        ("argue", "argued", "argues"),
    ],
)
def test_forms_of_verbs(base, past, present):
    assert inflect_verbs([base]) == ({base}, {past}, {present})
