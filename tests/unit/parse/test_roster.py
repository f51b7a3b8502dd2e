"""Names, aliases, posts and namesakes."""

from __future__ import annotations

import pytest

from narratives.model import Role, Speaker
from narratives.parse import Roster
from tests.helpers.parse_roster import ROSTER


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Vladimir Putin", "Vladimir Putin"),
        ("VLADIMIR PUTIN:", "Vladimir Putin"),
        ("President of Russia Vladimir Putin", "Vladimir Putin"),
        ("President Putin", "Vladimir Putin"),
        ("Mr Putin", "Vladimir Putin"),
        ("Russian Foreign Minister Sergey Lavrov", "Sergei Lavrov"),
        ("President of the Republic of Belarus Alexander Lukashenko", "Alexander Lukashenko"),
        ("President of Finland Sauli Niinisto (retranslated)", "Sauli Niinistö"),
        ("H.E. Mr. Sauli Niinisto", "Sauli Niinistö"),
    ],
)
def test_labels_of_known_people(label, name):
    assert ROSTER.resolve(label) == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Mr Ivan Petrenko", "Ivan Petrenko"),
        ("Ivan Petrenko (via video link):", "Ivan Petrenko"),
        ("Ivan Petrenko, reporter at Radio Two", "Ivan Petrenko"),
        ("Mayor of Tuapse Ivan Petrenko", "Mayor of Tuapse Ivan Petrenko"),
        ("", ""),
    ],
)
def test_unknown_names_stay_as_given_but_clean(label, name):
    assert ROSTER.resolve(label) == name


def test_a_namesake_in_another_office_is_not_forced_into_the_roster():
    label = "Director of the youth contest Dmitry Peskov"
    assert ROSTER.resolve(label) == label


def test_posts_by_date():
    assert ROSTER.resolve("Kremlin spokesman", "2016-12-14") == "Dmitry Peskov"
    assert ROSTER.resolve("Kremlin spokesman", "2010") == "Natalya Timakova"
    assert ROSTER.find_role("the president’s spokesman", "2020-11") == "Dmitry Peskov"
    # Both held the post in 2012, and without a date nobody can tell.
    assert ROSTER.find_role("Kremlin spokesman", "2012") == ""
    assert ROSTER.find_role("Kremlin spokesman") == ""
    assert ROSTER.find_role("Russian Foreign Minister") == "Sergei Lavrov"
    assert ROSTER.find_role("German Foreign Minister") == ""
    assert ROSTER.find_role("president") == ""


def test_a_shared_surname_is_nobody():
    roster = Roster([Speaker("Anna Orlova"), Speaker("Vera Orlova", roles=(Role("Mayor"),))])
    assert roster.find_by_surname("Orlova") == ""
    assert roster.resolve("Ms Orlova") == "Orlova"
    assert ROSTER.find_by_surname("Assad") == "Bashar al-Assad"
