"""The small roster that the tests of the parse room share."""

from __future__ import annotations

from datetime import date

from narratives.model import Role, Speaker
from narratives.parse import Roster

ROSTER = Roster(
    [
        Speaker(
            "Vladimir Putin",
            ("V. Putin",),
            (Role("President of Russia", date(2012, 5, 7)), Role("Russian President", date(2012, 5, 7))),
            "President of Russia",
        ),
        Speaker(
            "Dmitry Peskov",
            ("Dmitri Peskov",),
            (Role("Kremlin spokesman", date(2012, 5, 22)), Role("Presidential Press Secretary", date(2012, 5, 22))),
            "Presidential Executive Office",
        ),
        Speaker("Natalya Timakova", roles=(Role("Kremlin spokesman", date(2008, 5, 13), date(2012, 5, 21)),)),
        Speaker("Sergei Lavrov", ("Sergey Lavrov",), (Role("Foreign Minister of Russia", date(2004, 3, 9)),)),
        Speaker("Maria Zakharova", (), (Role("Foreign Ministry Spokesperson", date(2015, 8, 10)),)),
        Speaker("Alexander Lukashenko", (), (Role("President of Belarus"),), "Belarus"),
        Speaker("Bashar al-Assad", ("Bashar Assad",), (Role("President of Syria"),), "Syria"),
        Speaker("Anna Journalist", (), (Role("journalist"),), "The Herald"),
        Speaker("Sauli Niinistö", (), (Role("President of Finland"),), "Finland"),
    ]
)
