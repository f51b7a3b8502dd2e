"""Claim or topic: how far a text takes a stance, in whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from narratives.track.encoder import Vectors

# The same matter twice: once as a claim about right and wrong, cause or duty, once as plain information.
# The difference of the two leaves the matter out and keeps the stance.
PAIRS = (
    (
        "They broke the promise they gave us and now blame us for it.",
        "The two sides signed the agreement in the capital and will meet again next year.",
    ),
    (
        "Nobody has the right to dictate to sovereign nations how they should live.",
        "The leaders of eleven nations arrived for the annual meeting on Tuesday.",
    ),
    (
        "Their accusations are lies made up to hide their own crimes.",
        "The committee received the documents and will present its report in autumn.",
    ),
    (
        "It was their invasion that destroyed the country and gave rise to terrorism.",
        "The country lies in the Middle East and has a population of nineteen million.",
    ),
    (
        "We will never let anyone threaten our security or speak to us from a position of strength.",
        "The exercises took place at the northern training ground and involved forty aircraft.",
    ),
    (
        "Sooner or later they will understand that pressing us makes no sense and hurts only themselves.",
        "Trade between the two countries reached nine billion dollars in the first half of the year.",
    ),
    (
        "Nothing but an honest dialogue of equals can settle this conflict; threats make it worse.",
        "The delegations discussed the conflict for three hours and agreed on the next round.",
    ),
    (
        "The truth about the war is being distorted, and we must not let the heroes be slandered.",
        "The museum holds letters and photographs that veterans gave it in the sixties.",
    ),
    (
        "The state must not abandon those in need; it is unacceptable to save money on children.",
        "Families with two children receive a monthly payment of ten thousand rubles.",
    ),
    (
        "Officials should stop hiding behind paper and answer to the people for what they have done.",
        "The department has offices in every region and is headed by a deputy minister.",
    ),
    (
        "They use human rights as a pretext for meddling in the affairs of others.",
        "The council on human rights has forty members and meets twice a year.",
    ),
    (
        "Our people proved once again that no hardship can break them.",
        "People from thirty regions took part in the competition and received prizes.",
    ),
    (
        "It is unfair that a few rich states keep the benefits to themselves and leave the others behind.",
        "The fund was set up in 2014 and finances projects in energy and transport.",
    ),
    (
        "We are not to blame for this crisis; those who started it bear the responsibility.",
        "The price of oil was forty dollars a barrel in spring and rose by a third in summer.",
    ),
    (
        "Freedom of speech has become a double standard: they ban what they do not like to hear.",
        "The channel broadcasts in five languages and opened a studio in the city.",
    ),
    (
        "Such a policy is short-sighted and dangerous and will lead to a new arms race.",
        "The plant produces engines for aircraft and employs two thousand workers.",
    ),
    (
        "We have always kept our word, while our partners deceive us time and again.",
        "Our partners from the company presented the plan of the new pipeline.",
    ),
    (
        "Only together can we defeat this threat, and whoever divides us helps the terrorists.",
        "The ministers and heads of the special services exchanged information at the meeting.",
    ),
    (
        "Doping must be fought, but punishing clean athletes for the faults of others is wrong.",
        "The athletes won twelve medals, among them four in skiing and two in skating.",
    ),
    (
        "Real independence means that we decide for ourselves and rely on our own strength.",
        "The new line is forty kilometres long, and the first trains will run in December.",
    ),
    (
        "There is no proof whatever, and they refuse to look at facts because the facts do not suit them.",
        "I was born in a village near the river, studied at the institute and became an engineer.",
    ),
    (
        "Culture must serve the good of the people, not the profit of those who sell it.",
        "The theatre will show three plays this season, and the orchestra will go on tour.",
    ),
)
# Words that judge, oblige, deny, blame or assert.
CUES = re.compile(
    r"\b(?:must(?:n['’]t)?|should(?:n['’]t)?|ought|cannot|can['’]t|never|nobody|no one|nothing|nonsense"
    r"|absurd|wrong|right to|unfair|unjust|unlawful|illegal|illegitimate|legitimate|unacceptable|inadmissible"
    r"|intolerable|impossible|absolutely|obvious(?:ly)?|evident(?:ly)?|clear(?:ly)? that|convinced|believe"
    r"|sure that|in fact|truth|true|false|lies?|lying|pretext|excuse|blame[sd]?|accus\w+|alleg\w+|guilty"
    r"|fault|responsib\w+ for|because|therefore|that is why|despite|instead of|rather than|only way|the only"
    r"|not (?:a|the|because|only|about|against|our)|is(?:n['’]t| not)|are(?:n['’]t| not)|was(?:n['’]t| not)"
    r"|will not|won['’]t|do(?:es)?(?:n['’]t| not)|did(?:n['’]t| not)|refus\w+|reject\w*|violat\w+|undermin\w+"
    r"|destroy\w*|threat\w*|danger\w*|harm\w*|hostil\w+|aggress\w+|interfer\w+|meddl\w+|impos(?:e|ed|es|ing)"
    r"|dictat\w+|pressure|sanctions?|double standards?|hypocri\w+|propaganda|so-called|provok\w+|provocat\w+"
    r"|condemn\w*|crimes?|terrorists?|justice|fair|equal|sovereign\w*|independen\w+|interests|respect\w*"
    r"|duty|obliged|need to|have to|crucial|essential|vital)\b",
    re.IGNORECASE,
)
CUE_WEIGHT = 0.5
# A text in which one word of ten is a cue has the full weight of cues; twice as many count twice, no more.
CUE_DENSITY = 0.1
MOST_CUES = 2.0
SHORTEST = 8


def stance(texts: Sequence[str], vectors: Vectors, claims: Vectors, plain: Vectors) -> NDArray[np.float64]:
    """(n,) how claim-like each text is: about -1 for plain information, about 1 for a claim, 2 at most.

    `vectors` (n, d) are unit rows of the texts; `claims` and `plain` (p, d) those of the two sides of
    `PAIRS`. The place of a text on the line from the mean plain side (-1) to the mean claim (1), as the
    difference of paired texts isolates what differs between them (Bolukbasi et al. 2016); and half of its
    density of cue words. To 5 decimals, as the last bits of a product vary with the number of threads.

    Measured: on the development labels (1,012 paragraphs) it tells those that advance any narrative from the
    others with an area under the curve of 0.74 (vectors alone 0.74, cue words alone 0.68). The pairs and cue
    words were written knowing the codebook's subjects, so expect less on others.
    """
    direction = (claims - plain).mean(axis=0).astype(np.float64)
    half = float(direction @ direction) / 2
    middle = float(((claims + plain) / 2).mean(axis=0) @ direction)
    placed = (vectors @ direction - middle) / half if half else np.zeros(len(texts))
    cues = np.array([len(CUES.findall(text)) / max(SHORTEST, len(text.split())) for text in texts])
    found: NDArray[np.float64] = placed + CUE_WEIGHT * np.minimum(MOST_CUES, cues / CUE_DENSITY)
    return found.round(5)
