"""Made-up transcripts in the layouts of well-known sources, with the speaker of every paragraph."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

QUESTION = "?"  # the speaker of a paragraph by an unnamed asker
NOBODY = ""

FIRST = ["Irena", "Jonas", "Ulla", "Royce", "Petra", "Anselm", "Dorrit", "Hobart", "Marta", "Casper", "Wilma", "Edgar"]
SURNAMES = ["Dolk", "Hale", "Berg", "McTavish", "O'Garra", "Vander-Hoof", "Pellew", "Quillan", "Stroud", "Lindqvist"]
PLACES = ["Vellmar", "Ostmark", "Northport", "Ruritania", "Sundland"]

OPENINGS = [
    "I want to say a word about the harbour before we begin.",
    "Thank you, and good afternoon to everybody in this room.",
    "We have read the report and we do not share its conclusions.",
    "The talks will go on until both sides have signed.",
    "Let me be clear about one thing: nobody will be left behind.",
    "As I have told you many times, the strait belongs to all of us.",
    "That is a fair point, and I will look into it this week.",
    "There are three reasons: the cost, the weather and the law.",
    "No.",
    "Yes, Helen.",
    "I'd refer you to the ministry for that --",
    "Well, look, the numbers speak for themselves",
    "What did we find? We found that the ships had sailed in March.",
    "They said: no ship shall pass, and we said: every ship shall pass.",
    "“Nobody closes the sea,” he told me, and I believe him.",
    "On January 5, 2016 we signed the treaty of Vellmar.",
    "Q is not a letter that we use in our tables.",
]
MORE = [
    "Then I went to the pier myself and talked with the men for an hour.",
    "And who will pay for it? The state will pay for the stone.",
    "Number one: jobs. Number two: wages.",
    "But that is another matter --",
    "So that is where we are",
    "Our allies have been told, and they agree with every word of it.",
    "(Laughter.) You may laugh, but it was not funny on that day.",
    "In short, the lamps will burn and the ferries will sail.",
    "President Lindqvist told me so on the telephone last night.",
    "10:30 is when the first ferry leaves, every day of the year.",
]
QUESTIONS = [
    "Will the ferries run on Sunday?",
    "Thank you. Has the minister answered the letters of the fishermen?",
    "But the President said yesterday --",
    "And the sanctions on the shipyards?",
    "Can you tell us what the ships were carrying, and whether anybody was hurt?",
    "Just to follow up on the strait",
    "Two questions, if I may. What will it cost? And who decides?",
    "Sir, you said in March: no new taxes. Is that still so?",
    "-- the harbour, though?",
    "Why?",
]


class Line(NamedTuple):
    """One paragraph and its speaker: a surname, a post, `QUESTION` or `NOBODY`."""

    text: str
    speaker: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript as a text, with its title, and the paragraphs that it should be read as."""

    title: str
    lines: Sequence[Line]
    between: str = "\n\n"
    wrap: int = 0
    above: Sequence[str] = field(default=())

    @property
    def text(self) -> str:
        """The whole text, with the title in its first line."""
        paragraphs = [self.title, *self.above, *(line.text for line in self.lines)]
        if self.wrap:
            paragraphs = [textwrap.fill(p, self.wrap) for p in paragraphs]
        return self.between.join(paragraphs)


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.surnames = self.random.sample(SURNAMES, 6)
        self.first = dict(zip(self.surnames, self.random.sample(FIRST, 6), strict=True))
        self.lines: list[Line] = []

    def say(self, label: str, speaker: str, most: int = 3) -> None:
        """Add a turn of up to `most` paragraphs."""
        self.lines.append(Line(f"{label}{self.random.choice(OPENINGS)}", speaker))
        for _ in range(self.random.randrange(most)):
            self.lines.append(Line(self.random.choice(MORE), speaker))

    def ask(self, label: str, speaker: str = QUESTION) -> None:
        """Add a question, sometimes of two paragraphs."""
        self.lines.append(Line(f"{label}{self.random.choice(QUESTIONS)}", speaker))
        if self.random.random() < 0.1:
            self.lines.append(Line("I ask because the letters were never answered.", speaker))

    def remark(self, text: str) -> None:
        """Add a line that nobody says."""
        self.lines.append(Line(text, NOBODY))


def make_white_house(seed: int) -> Transcript:
    """`MR. HALE:`, `THE PRESIDENT:` and `Q  Will you come?`, with a guest and an official without a name."""
    m = _Maker(seed)
    host, aide, guest = m.surnames[:3]
    m.say(f"MR. {host.upper()}: ", host)
    for _ in range(m.random.randint(8, 25)):
        m.ask(m.random.choice(["Q    ", "Q    ", "Q ", "Q    "]))
        who = m.random.random()
        if who < 0.6:
            m.say(f"MR. {host.upper()}:  ", host)
        elif who < 0.7:
            m.say("THE PRESIDENT:  ", "President")
        elif who < 0.8:
            m.say(f"SECRETARY {aide.upper()}: ", aide)
        elif who < 0.9:
            m.say(f"GENERAL {guest.upper()} (via telephone): ", guest)
        else:
            m.say("SENIOR ADMINISTRATION OFFICIAL: ", "Official")
    m.lines.append(Line(f"MR. {host.upper()}: Thank you, everybody.", host))
    m.remark(m.random.choice(["END   2:45 P.M. EST", "(End of briefing)", "(The briefing was concluded at 1:40 p.m.)"]))
    name = f"{m.first[host]} {host}"
    title = m.random.choice(
        [f"PRESS BRIEFING BY {name.upper()}", f"Press Briefing by Press Secretary {name}", "Press Briefing"]
    )
    above = ["THE WHITE HOUSE", "The James S. Brady Briefing Room", "1:10 P.M. EST"]
    return Transcript(title, m.lines, above=above, wrap=m.random.choice([0, 0, 70]))


def make_presidency_project(seed: int) -> Transcript:
    """`Q.` and `The President.` with a full stop, as in printed collections of news conferences."""
    m = _Maker(seed)
    aide = m.surnames[0]
    m.say("The President. ", "President")
    for _ in range(m.random.randint(6, 15)):
        m.ask("Q. ")
        if m.random.random() < 0.8:
            m.say("The President. ", "President")
        else:
            m.say(f"Secretary {aide}. ", aide)
    return Transcript("The President's News Conference", m.lines)


def make_state_department(seed: int) -> Transcript:
    """`MS HALE:`, `SECRETARY BERG:`, `FOREIGN MINISTER DOLK: (Via interpreter)` and `QUESTION:`."""
    m = _Maker(seed)
    host, secretary, minister = m.surnames[:3]
    m.say(f"MS {host.upper()}: ", host)
    for _ in range(m.random.randint(6, 20)):
        m.ask("QUESTION: ")
        label, speaker = m.random.choice(
            [
                (f"MS {host.upper()}: ", host),
                (f"SECRETARY {secretary.upper()}: ", secretary),
                (f"FOREIGN MINISTER {minister.upper()}: (Via interpreter) ", minister),
            ]
        )
        m.say(label, speaker)
    return Transcript("Department Press Briefing – May 15, 2018", m.lines)


def make_debate(seed: int) -> Transcript:
    """`HALE:` for everybody, with lists of who takes part, `(APPLAUSE)`, and labels after it."""
    m = _Maker(seed)
    people, host = m.surnames[:3], m.surnames[3]
    titles = ["Governor", "Senator", "Businessman"]
    named = [f"{title} {m.first[name]} {name}" for title, name in zip(titles, people, strict=True)]
    above = ["PARTICIPANTS: " + "; ".join(named), f"MODERATOR: {m.first[host]} {host} (Vellmar News)"]
    m.lines.append(
        Line(f"{host.upper()}: Good evening from the town hall of Vellmar. Please welcome our guests.", host)
    )
    for _ in range(m.random.randint(10, 40)):
        who = m.random.choice([*people, host])
        if who == host:
            m.ask(f"{host.upper()}: ", host)
            continue
        prefix = "(APPLAUSE) " if m.random.random() < 0.1 else ""
        m.say(f"{prefix}{who.upper()}: ", who, most=4)
        if m.random.random() < 0.2:
            m.remark(m.random.choice(["(APPLAUSE)", "(CROSSTALK)", "[laughter]"]))
            if m.random.random() < 0.5:
                m.lines.append(Line(m.random.choice(MORE), who))
    return Transcript("Presidential Candidates Debate at the Town Hall", m.lines, above=above)


def make_hansard(seed: int) -> Transcript:
    """`Mr. Hale (Northport):`, `The Minister for the Coast (Irena Dolk):`, `Mr. Speaker:` and headings."""
    m = _Maker(seed)
    minister, *members = m.surnames[:4]
    post = m.random.choice(["The Minister for the Coast", "The Secretary of State for Harbours"])
    for number in range(m.random.randint(2, 4)):
        m.remark(["Harbours (Repair)", "Points of Order", "Fisheries and Ports", "The Strait of Vellmar"][number])
        asker = m.random.choice(members)
        m.say(f"{m.random.choice(['Mr.', 'Mrs.'])} {m.first[asker]} {asker} ({m.random.choice(PLACES)}): ", asker, 1)
        m.say(f"{post} ({m.first[minister]} {minister}): ", minister)
        for _ in range(m.random.randint(2, 6)):
            m.say(f"{m.first[asker]} {asker}: ", asker)
            if m.random.random() < 0.3:
                m.lines.append(Line("Hon. Members: Hear, hear.", "Members"))
            m.say(m.random.choice([f"{m.first[minister]} {minister}: ", f"{post}: "]), minister)
        m.lines.append(Line("Mr. Speaker: Order. The House must listen to the Minister.", "Speaker"))
    return Transcript("House of Assembly, Oral Answers", m.lines)


def make_un_record(seed: int) -> Transcript:
    """`Mrs. Hale (Vellmar) (spoke in Russian):`, `The President:` and `The Secretary-General:`."""
    m = _Maker(seed)
    m.say("The President: ", "President", 2)
    for name in m.surnames[:5]:
        title = m.random.choice(["Mr.", "Mrs.", "Ms."])
        language = m.random.choice(["", " (spoke in Russian)", " (spoke in French)"])
        m.say(f"{title} {name} ({m.random.choice(PLACES)}){language}: ", name, 4)
        m.say("The President: ", "President", 2)
    m.say("The Secretary-General: ", "Secretary-General", 2)
    m.remark("The meeting rose at 1.05 p.m.")
    return Transcript("Security Council, 8123rd meeting", m.lines)


def make_european_parliament(seed: int) -> Transcript:
    """`Irena Hale (S&D). –`, `Jonas Berg, on behalf of the PPE Group. –` and `President. –`."""
    m = _Maker(seed)
    m.say("President. – ", "President", 1)
    for name in m.surnames:
        who = f"{m.first[name]} {name}"
        label = m.random.choice(
            [
                f"{who} (S&D)",
                f"{who}, on behalf of the PPE Group",
                f"{who}, Member of the Commission",
                f"{who} (NI), in writing",
            ]
        )
        m.say(f"{label}. – ", name)
        if m.random.random() < 0.3:
            m.say("President. – ", "President", 1)
    return Transcript("Situation in the strait of Vellmar (debate)", m.lines)


def make_television(seed: int) -> Transcript:
    """`IRENA HALE, VNN ANCHOR:` at first, then `HALE:`, and `UNIDENTIFIED MALE:`."""
    m = _Maker(seed)
    anchor, guest, reporter = m.surnames[:3]
    m.say(f"{m.first[anchor].upper()} {anchor.upper()}, VNN ANCHOR: ", anchor)
    m.say(f"{m.first[guest].upper()} {guest.upper()}, FORMER MINISTER OF TRADE: ", guest)
    m.say(f"{m.first[reporter].upper()} {reporter.upper()}, VNN CORRESPONDENT (voice-over): ", reporter)
    for _ in range(m.random.randint(6, 20)):
        who = m.random.choice([anchor, guest, reporter, "Male"])
        label = "UNIDENTIFIED MALE (through translator)" if who == "Male" else who.upper()
        m.say(f"{label}: ", who, 2)
        if m.random.random() < 0.15:
            m.remark("(BEGIN VIDEO CLIP)")
            m.say(f"{guest.upper()}: ", guest, 1)
            m.remark("(END VIDEO CLIP)")
    return Transcript("Vellmar Tonight", m.lines)


def make_hearing(seed: int) -> Transcript:
    """`The CHAIRMAN.`, `Mr. HALE.` and `Secretary BERG.` with a full stop."""
    m = _Maker(seed)
    secretary, *members = m.surnames[:4]
    m.say("The CHAIRMAN. ", "Chairman")
    m.say(f"Secretary {secretary.upper()}. ", secretary)
    for _ in range(m.random.randint(5, 15)):
        member = m.random.choice(members)
        m.ask(f"Mr. {member.upper()}. ", member)
        m.say(f"Secretary {secretary.upper()}. ", secretary)
    return Transcript("Hearing on the harbour fund", m.lines, wrap=m.random.choice([0, 72]))


def make_interview(seed: int) -> Transcript:
    """`Q:` and `A:`, with the person interviewed in the title."""
    m = _Maker(seed)
    guest = m.surnames[0]
    for _ in range(m.random.randint(4, 10)):
        m.ask("Q: ")
        m.say("A: ", guest)
    return Transcript(f"Q&A with {m.first[guest]} {guest}", m.lines)


def make_alone(seed: int) -> Transcript:
    """Names that stand alone above what is said, with the time."""
    m = _Maker(seed)
    people = m.surnames[:3]
    for number in range(m.random.randint(6, 20)):
        who = people[number % 3]
        m.remark(f"{m.first[who]} {who}  00:{number:02}")
        m.say("", who)
    return Transcript("Talk at the pier", m.lines)


def make_dashes(seed: int) -> Transcript:
    """`Hale — We turn nobody away.`."""
    m = _Maker(seed)
    people = m.surnames[:3]
    for _ in range(m.random.randint(8, 20)):
        who = m.random.choice(people)
        m.say(f"{who} — ", who, 2)
    return Transcript("Round table on the strait", m.lines)


LAYOUTS: dict[str, Callable[[int], Transcript]] = {
    "white house": make_white_house,
    "presidency project": make_presidency_project,
    "state department": make_state_department,
    "debate": make_debate,
    "hansard": make_hansard,
    "un record": make_un_record,
    "european parliament": make_european_parliament,
    "television": make_television,
    "hearing": make_hearing,
    "interview": make_interview,
    "alone": make_alone,
    "dashes": make_dashes,
}
