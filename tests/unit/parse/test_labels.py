"""The grammar of turn labels: what can be a label, and its parts."""

from __future__ import annotations

import pytest

from narratives.parse.attribution.labels import match_label, parse_label


@pytest.mark.parametrize(
    ("text", "form", "name"),
    [
        ("MS QUILLAN: Good afternoon.", "titled", "QUILLAN"),
        ("MR.QUILLAN: Good afternoon.", "titled", "QUILLAN"),
        ("MR. QUILLAN;  Good afternoon.", "titled", "QUILLAN"),
        ("SECRETARY OF STATE QUILLAN: Good afternoon.", "titled", "QUILLAN"),
        ("CHIEF OF STAFF QUILLAN: Good afternoon.", "titled", "QUILLAN"),
        ("LT. GEN. QUILLAN: Good afternoon.", "titled", "QUILLAN"),
        ("Mr. Royce Quillan (Northport) (Lab): To ask.", "titled", "Royce Quillan"),
        ("Mr. QUILLAN of New Sundland. I thank the gentleman.", "titled", "QUILLAN"),
        ("Ms. STROUD LEE. I thank the gentleman.", "titled", "STROUD LEE"),
        ("Mr. King: Thank you.", "titled", "King"),
        ("Minister of Trade Petra Quillan: Thank you.", "titled", "Petra Quillan"),
        ("Housing, Roads and Harbours Minister Petra Quillan: Thank you.", "titled", "Petra Quillan"),
        ("Emir of Qatar Hassan bin Omar Al Quillan (retranslated): Thank you.", "titled", "Hassan bin Omar Al Quillan"),
        ("King Casper VI of Ostmark: Thank you.", "titled", "Casper VI"),
        ("Royce Quillan: Thank you.", "full", "Royce Quillan"),
        ("RoyceWilliam Quillan: Thank you.", "full", "Royce William Quillan"),
        ("R.S. Quillan: Thank you.", "full", "R.S. Quillan"),
        ("ROYCE QUILLAN, VNN CORRESPONDENT (voice-over): Thank you.", "full", "ROYCE QUILLAN"),
        ("Royce Quillan, on behalf of the S&D Group. – Mr President,", "full", "Royce Quillan"),
        ("Royce Quillan (NI). – (FR) Mr President,", "full", "Royce Quillan"),
        ("[00:12] Royce Quillan: Thank you.", "full", "Royce Quillan"),
        (">> ROYCE QUILLAN: Thank you.", "full", "ROYCE QUILLAN"),
        ("Royce Quillan  00:12", "full", "Royce Quillan"),
        ("(APPLAUSE) QUILLAN: Thank you.", "surname", "QUILLAN"),
        ("VAN DER QUILLAN: Thank you.", "surname", "VAN DER QUILLAN"),
        ("Quillan — Thank you.", "surname", "Quillan"),
        ("Q: Why?", "asker", ""),
        ("Q. Why?", "asker", ""),
        ("Q Why?", "asker", ""),
        ("Q -- why?", "asker", ""),
        ("QUESTION: Why?", "asker", ""),
        ("Question from the audience: Why?", "asker", ""),
        ("A: Because.", "answerer", ""),
        ("THE PRESIDENT: Thank you.", "post", ""),
        ("The Minister for the Coast (Petra Quillan): Thank you.", "post", ""),
        ("President of the United States: Thank you.", "post", ""),
        ("UNIDENTIFIED FEMALE (through translator): Thank you.", "post", ""),
        ("Several hon. Members: Hear, hear.", "post", ""),
        ("Mr. Speaker: Order.", "post", ""),
        ("Q41 Chair: Welcome.", "post", ""),
        ("Speaker 2: Thank you.", "post", ""),
        ("The CHAIRMAN. Order.", "post", ""),
    ],
)
def test_what_can_be_a_label(text: str, form: str, name: str):
    found = match_label(text)
    assert found is not None
    assert (found.label.form, " ".join(found.label.name)) == (form, name)


@pytest.mark.parametrize(
    "text",
    [
        "Note: The figures have been corrected.",
        "Moscow: A train left the rails.",
        "Moscow – A train left the rails.",
        "New York: A train left the rails.",
        "Syria:",
        "Question time: The House sat until ten.",
        "The treaty has a simple aim: peace.",
        "I said: the strait is not for sale.",
        "At 10:30 we left.",
        "Regarding North Korea: we have a position.",
        "PARTICIPANTS: Petra Quillan, Royce Stroud",
        "World Bank: The report is ready.",
        "However, Moscow: the talks go on.",
        "Mr. Quillan said so. Then he left.",
        "The Rev. Royce Quillan, president of the society, disagreed: “No.”",
        "https://example.org/",
        "Letter to the President: nothing was sent.",
    ],
)
def test_what_is_no_label(text: str):
    assert match_label(text) is None


def test_the_parts_of_a_label():
    label = parse_label("The Minister for the Coast (Petra Quillan)")
    assert label is not None
    assert label.post == ("the", "minister", "for", "the", "coast") and label.bracket == "Petra Quillan"
    label = parse_label("Mr. QUILLAN of New Sundland")
    assert label is not None and label.after == "New Sundland"
