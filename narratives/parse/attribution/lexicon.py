"""Who can be named and how, and the other words that point to them: the lists behind speakers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


def make_word_set(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


# --- people ---------------------------------------------------------------------------------------------
HONORIFICS = make_word_set("mr mrs ms miss dr prof professor sir madam h.e he she excellency his her hon dame lord the")
POST_FILLERS = make_word_set("of the and for at in on to by a an as s deputy first acting head new")
ROLE_HEADS = make_word_set(
    "president spokesman spokeswoman spokesperson minister chancellor premier ambassador envoy leader"
    " secretary chairman chairwoman chairperson chair speaker director head chief governor mayor"
    " commissioner representative deputy senator general colonel admiral king queen prince emir sheikh"
    " pope patriarch candidate adviser advisor aide diplomat official lawmaker mp ceo editor host anchor"
    " correspondent journalist reporter professor analyst expert president-elect co-chair secretary-general"
    " nominee governor-elect gov. sen. rep. gen. col. manager congressman congresswoman pollster strategist"
    " consultant lawyer attorney treasurer economist lobbyist dean bishop judge justice sheriff rabbi pastor"
    " superintendent detective coach undersecretary whip counsel"
)
# Posts of those whose trade is to ask.
INTERVIEWER_HEADS = make_word_set(
    "journalist correspondent reporter anchor host presenter moderator editor editor-in-chief columnist"
    " commentator interviewer observer"
)
ROLE_MODIFIERS = make_word_set(
    "presidential foreign prime deputy defense defence interior state press former vice first official"
    " chief senior general government parliamentary ministry energy finance economy trade culture sports"
    " national security political then current acting"
)
# Capitalised words that stand before a name but are no part of it.
NAME_PREFIXES = make_word_set(
    "russian american us u.s uk british german french ukrainian syrian turkish chinese iranian israeli"
    " kremlin white house foreign prime vice deputy defense defence interior state press first former"
    " acting minister ministry presidential democratic republican national security un nato eu nbc cnn bbc"
    " rt tass news department permanent special chief executive board union federal"
)
NAME_PARTICLES = make_word_set("al el bin ibn de del der den van von da dos la le")
# Words that open a sentence with a capital though they are no name.
SENTENCE_OPENERS = make_word_set(
    "the a an in on at as but and or however while when if although though despite after before since"
    " because meanwhile moreover furthermore also then still yet so thus earlier later today yesterday"
    " what this that these those it its his her their our my we i he she they you there here for from to"
    " with by of speaking commenting according answering asked such many some all both no not nor citing"
    " quoting responding referring recalling replying addressing writing asking instead even now once"
    " another one only perhaps maybe indeed under during among until unlike like about regarding concerning"
    " can could did does do is was were are has have had would should am isn't doesn't within take count meet"
)
NON_NAME_WORDS = make_word_set(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july"
    " august september october november december moscow washington russia kremlin beijing brussels london"
    " paris berlin kiev tehran ankara damascus america china ukraine syria germany france britain europe"
    " iran turkey israel pentagon congress senate republicans democrats nato isis facebook twitter google"
    " god internet english russians americans nobody everybody everyone someone people"
    " politico breitbart reuters cnn msnbc nbc abc cbs npr newsweek buzzfeed vox slate salon wikileaks"
    " gallup quinnipiac gop"
)
# Someone whom a text does not name: "he" after them is they.
PERSON_NOUNS = make_word_set(
    "man woman boy girl neighbor neighbour voter voters fisherman farmer driver worker workers teacher"
    " student students nurse doctor lawyer soldier officer officers official officials source sources aide"
    " aides adviser advisers staffer staffers ally allies critic critics supporter supporters witness"
    " witnesses resident residents people person veteran mother father wife husband son daughter brother"
    " sister friend friends colleague colleagues reporter reporters journalist journalists expert experts"
    " analyst analysts historian author blogger activist activists protester protesters lawmaker lawmakers"
    " senator senators congressman congresswoman prosecutor prosecutors investigator investigators agent"
    " agents judge spokesman spokeswoman spokesperson diplomat diplomats executive executives strategist"
    " strategists operative operatives donor donors delegate delegates moderator narrator caller guest"
)
# Words of a post that are surnames as well: "Rep. Steve King".
SURNAME_HEADS = make_word_set("king prince pope queen bishop dean judge")
# A party is no country: "the Republican nominee" may be the text's own.
PARTIES = {
    "republican": "republican",
    "gop": "republican",
    "democratic": "democratic",
    "democrat": "democratic",
    "libertarian": "libertarian",
    "green": "green",
}
PREPOSITIONS = make_word_set("in at of to from for with by on near outside inside against about under through and or")
US_STATES = make_word_set(
    "alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho"
    " illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota"
    " mississippi missouri montana nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah"
    " vermont virginia wisconsin wyoming"
)
PLACE_WORDS = make_word_set("new north south west east los san santa las fort united saint st.")
KIN_NOUNS = make_word_set("wife husband son daughter")
# What a text calls somebody to vary the name: "the New York businessman" is whom it is about.
EPITHETS = make_word_set(
    "businessman businesswoman billionaire mogul developer tycoon nominee candidate contender hopeful"
    " front-runner frontrunner incumbent democrat republican"
)
PERSON_NOUNS |= EPITHETS - ROLE_HEADS - PARTIES.keys()
WEEKDAYS = make_word_set("monday tuesday wednesday thursday friday saturday sunday")
# Things by which people speak: "Padden’s statement continued".
MESSAGE_NOUNS = make_word_set("statement letter tweet post message email memo note")
WORK_NOUNS = MESSAGE_NOUNS | make_word_set(
    "research study analysis report book paper essay ad column speech account memoir"
)
OCCASION_NOUNS = MESSAGE_NOUNS | make_word_set("interview speech tweetstorm telegram column")
# A sentence that opens with one of these is of whoever stands behind a comma: "Asked if he would, X said".
FRONTED_OPENERS = make_word_set(
    "asked pressed questioned prompted told reached contacted given faced confronted informed reminded"
    " in on at during after before while when as with by since until without despite amid following"
    " speaking standing appearing campaigning citing quoting responding reacting referring writing back"
    " inside outside across near over just only hours minutes moments days weeks later earlier early late"
    " once if although though because even among under about between throughout instead asking commenting"
    " recalling replying addressing answering regarding concerning within fresh above behind between beyond"
)
# Words by which a person speaks: "Marsh’s answer was short. “...”", "Marsh’s message: “...”".
SPEECH_NOUNS = MESSAGE_NOUNS | make_word_set(
    "response reply answer words take verdict assessment comment remark advice pitch argument point retort"
    " explanation conclusion warning reaction rejoinder plea promise line motto question rebuttal theory"
    " view complaint"
)
# Behind a name these are not who is named: "the Marsh campaign", "Marsh supporters".
TEAM_NOUNS = make_word_set(
    "campaign camp team administration organization operation staff aide aides ally allies surrogates"
    " supporters voters backers adviser advisers advisors staffer staffers donors delegates loyalists fans"
    " critics foundation family website officials spokesman spokeswoman spokesperson representatives"
)
# Behind a name, or its possessive, these tell that it is a person’s.
PERSON_RELATED_NOUNS = TEAM_NOUNS | make_word_set(
    "surrogate wife husband son daughter rally plane opponent rival speech remarks tweet tweets stump running"
)
COLLECTIVE_NOUNS = make_word_set("campaign camp team administration organization operation foundation website staff")
# Small words that follow a name at the beginning of a sentence: "and", and irregular verbs.
WORDS_AFTER_NAMES = make_word_set(
    "and or who of was were is are took went made came got gave ran saw stood began kept held left met put"
    " read sat told said wrote knew thought felt found fought won lost led let paid sent set sought spent"
    " spoke swore taught threw understood woke wore built bought brought broke caught chose drew drove fell"
    " flew forgot grew heard hit hung hurt meant rode rose sang shook shot shut slept sold stuck struck swept"
    " isn wasn doesn hasn won't isn't doesn't wasn't hasn't can't won’t isn’t doesn’t wasn’t hasn’t can’t"
)
# A sentence that has one of these before its quotation gives the words of others.
ANONYMOUS_QUOTE_WORDS = make_word_set(
    "chant chants chanted chanting sign signs cries banner banners headline headlines poster posters slogan"
    " slogans sticker stickers caption hashtag song film movie book titled entitled headlined nicknamed"
    " shirt shirts hat hats button buttons reads"
)
# First names by which "she" is not a man nor "he" a woman; common ones that only one of them bears.
RUSSIAN_FEMALE_ENDINGS = ("ova", "eva", "ina", "aya")  # ends of their surnames
FEMALE_NAMES = make_word_set(
    "mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra"
    " margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura"
    " sharon cynthia kathleen amy angela anna ruth brenda pamela nicole katherine catherine samantha"
    " christine emma debra rachel carolyn janet maria heather diane julie joyce victoria kelly christina"
    " joan evelyn judith megan andrea cheryl hannah martha gloria teresa ann anne sara madison jean"
    " kathryn janice jacqueline hillary kellyanne melania ivanka chelsea loretta denise alicia nora"
    " ellen miriam carla julia kathy theresa federica megyn natalya tatyana olga elena yelena irina"
    " svetlana yekaterina valentina elvira ella veronika nikki condoleezza madeleine michaela marine"
    " ursula ana delcy sushma sophie margarita paula alice audrey becky bella beth bettina betsy beverly"
    " bonnie bridget brooke candace carmen carolina caroline carrie cathy celia charlotte claire clara"
    " cindy connie constance corinne courtney daisy darlene dawn debbie delia desiree diana dolores dora"
    " doris dorothy edith eileen elaine eleanor elise eliza eva faith fiona florence frances gail gina"
    " ginny grace greta gwen heidi helen holly hope imani ida irene iris isabel ivy jane janelle jasmine"
    " jeanne jenna jenny jill joanna joann jodi josefina josie joy joanne juanita judy june katie kate"
    " kayla kelsey kristen kristin lara latoya leah lena lila liz lois lori lorraine louise lucille lucy"
    " lydia lynne mabel maggie mandy marcia marge marian marianne marjorie marlene marsha maureen maxine"
    " meg meghan mia michele mildred minnie miranda molly mona monica myra nadia nan naomi natalie nell"
    " nina norma olivia opal paige patty paulette pauline pearl peg peggy penny phyllis priscilla"
    " rachael ramona regina renee rhonda rita roberta rosa rosalind rose rosemary roxanne ruby sabrina"
    " sadie sally sheila shelly sherry shirley sonia sonya stella sue susanna suzanne sylvia tamara"
    " tammy tanya tara tasha terri tess thelma tiffany tina toni tricia trish valerie vanessa vera vicki"
    " vicky violet viola virginia vivian wanda wendy whitney wilma winifred yolanda yvette yvonne zoe"
    " huma symone neera tulsi kirsten dianne abby abigail adele amelia angie annette annie carly omarosa"
)
MALE_NAMES = make_word_set(
    "james robert john michael david william richard joseph thomas charles christopher daniel matthew"
    " anthony mark donald steven paul andrew joshua kenneth kevin brian george timothy ronald edward"
    " jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin"
    " samuel gregory frank alexander raymond patrick jack dennis jerry tyler aaron jose adam henry"
    " nathan douglas zachary peter kyle walter ethan jeremy harold keith christian roger noah gerald"
    " carl sean austin arthur lawrence jesse dylan bryan joe bill bob tom mike jim steve tim ted mitch"
    " barack bernie mitt newt rudy vladimir dmitry sergei sergey mikhail nikolai alexei igor yury boris"
    " viktor anatoly vasily vitaly oleg andrei konstantin gennady emmanuel francois bashar recep petro"
    " volodymyr jens antonio rex josh greg dan leon marcus otto ivan pavel yevgeny maxim denis anton"
    " roman kirill ilya leonid valery vyacheslav fyodor stan neil bruce victor dale gil omar sid hank"
    " tomas jean-claude nicolas miguel juan luis carlos xi shinzo adrian al alan albert alec alejandro"
    " alfred allan allen alvin amir andre andy angelo antoine archie arnold art barry bart ben bernard"
    " bert bobby boyd brad bradley brent brett bruno bryce burt byron calvin carlton cary cecil cesar"
    " chad charlie chester chet chuck clarence clark claude clay clayton cliff clifford clint clyde cody"
    " colin conrad craig curt curtis cyrus damon danny darrell darren daryl dave dean derek devin dexter"
    " diego dirk dominic don donnie doug duane dustin dwayne dwight earl ed eddie edgar edmund edwin eli"
    " elias elliott elmer emmett enrique ernest ernie evan everett fernando floyd francis franklin fred"
    " freddie frederick garrett garry gene geoff geoffrey gerard gilbert glen glenn gordon graham grant"
    " grover gus guy hal hans harlan harley harry harvey hector herb herbert herman howard hugh hugo ian"
    " ike irving isaac isaiah ismael israel jackson jake jamal jared jarrod jay jed jeff jerome jesus"
    " jimmy joel joey johnny jon jorge julian julio julius kurt kwame lamar lance leo leonard leroy les"
    " lester lewis lloyd lonnie louis lowell lucas luke luther lyle malcolm mario marshall martin marty"
    " marvin mason matt maurice max melvin merle mickey miles milton mitchell moe mohammed morris moses"
    " myron nate nathaniel ned neal nelson nick noel norm norman oliver orlando oscar owen pablo pedro"
    " perry pete phil philip phillip pierre preston quentin ralph ramon randall randy raul ray reggie"
    " reid reince rick ricky rob robbie rod roderick rodney roland ron roosevelt ross roy royce ruben"
    " rudolph rufus russ russell santiago sebastian seth shane shaun shawn sheldon sherman sidney simon"
    " spencer stanley stefan stephan sterling stewart stuart tad tate terrence thad theodore thurman"
    " tobias toby todd tommy tony travis trent trevor tripp troy tyrell tyrone vern vernon vince vincent"
    " virgil wade wallace wally walt warren wayne wendell wesley wes whit wilbur will willard willie"
    " winston wolf wyatt zach jeb marco"
)
# Small words that stand before a verb of saying without being its subject.
NON_SUBJECT_WORDS = make_word_set(
    "and or but nor as than that which who whom what it they we i you he she to of in on at by for with"
    " from be been being was were is are am has have had having not never will would can could may might"
    " must shall should do does did so if when while where there here this these those"
)
# Last words of names that are no person's.
IMPERSONAL_NOUNS = make_word_set(
    "statement presidency member members council committee ministry department office commission union"
    " state states court bank agency service house party government republic federation region forum"
    " parliament duma museum university group company corporation act law treaty agreement report order news"
    " times post nations association institute centre center fund affairs resources rights army forces"
    " network project league panel caucus coalition foundation campaign journal tribune magazine county"
)
QUESTION_LABELS = frozenset([*make_word_set("question questions remark retort q journalist"), "from the audience"])
ANSWER_LABELS = frozenset(["answer", "a", "reply", "response"])
DOCUMENT_SPEAKER = re.compile(
    r"^(?:(?:opening|closing|introductory|welcoming|concluding)\s+)?(?:weekly\s+)?"
    r"(?:briefing|speech|remarks|statement|address|comments?|article|interview|lecture|press conference)\s+"
    r"(?:by|of|from)\s+(?P<who>.+)$",
    re.IGNORECASE,
)
TITLE_SPEAKER = re.compile(r"\s[–—-]+\s(?P<who>[^–—]+?)(?:\s+(?:to|tells?|told|says?|said)\b[^–—]*)?$")
# "The message reads, in part:"
MESSAGE_INTRODUCTION = re.compile(
    r"\b(?:message|telegram|letter|greetings?|condolences|congratulations)\b"
    r"[^.“\"]{0,60}\b(?:reads?|says?|said)\b[^.“\"]{0,40}:",
    re.IGNORECASE,
)
FIRST_PERSON = re.compile(r"\b(?:we|our|ours|us|ourselves|I|my|mine|me|myself)\b(?!\.)")


_VOWELS = "aeiou"
_DOUBLING_VERBS = make_word_set("quip admit blog deadpan slam rip rap rebut dub")
_IRREGULAR_FORMS = {
    "say": ("said", "says"),
    "tell": ("told", "tells"),
    "write": ("wrote", "writes"),
    "think": ("thought", "thinks"),
    "speak": ("spoke", "speaks"),
}


class VerbForms(NamedTuple):
    """The forms of some verbs: base, past, present ("says")."""

    base: frozenset[str]
    past: frozenset[str]
    present: frozenset[str]


def inflect_verbs(bases: Iterable[str]) -> VerbForms:
    """The forms of verbs given by their bases, by the rules of English spelling and a few exceptions."""
    rows = [(base, *(_IRREGULAR_FORMS.get(base) or _inflect_regular(base))) for base in sorted(bases)]
    columns = zip(*rows, strict=True)
    return VerbForms(*(frozenset(column) for column in columns))


def _inflect_regular(base: str) -> tuple[str, str]:
    ends_in_y = base.endswith("y") and base[-2] not in _VOWELS
    stem = base + base[-1] if base in _DOUBLING_VERBS else base.removesuffix("e")
    past = f"{base[:-1]}ied" if ends_in_y else f"{stem}ed"
    hisses = base.endswith(("s", "x", "z", "sh", "ch"))
    present = f"{base[:-1]}ies" if ends_in_y else f"{base}es" if hisses else f"{base}s"
    return past, present


_SAYING_FORMS = inflect_verbs(
    make_word_set(
        "say tell write state stress note add argue explain emphasize emphasise underline underscore recall"
        " reiterate remark declare announce claim insist assert admit acknowledge reply conclude comment"
        " observe maintain warn suggest tweet quip joke mention confirm clarify specify remind inform promise"
        " pledge urge assure complain lament highlight outline point respond opine affirm contend vow counter"
        " interject retort exclaim predict caution concede muse scoff snap shout boast brag recount testify"
        " proclaim post text email chime deadpan crack yell whisper implore lecture allege grumble mutter"
        " bark thunder scream chuckle confess confide gripe grouse marvel theorize speculate volunteer blurt"
        " elaborate recollect reminisce intone summarize gush plead rail bemoan decry object protest counsel"
        " inveigh rejoin reason posit surmise repeat echo tease enthuse crow holler sigh bellow roar"
    )
)
_ACTING_FORMS = inflect_verbs(
    make_word_set(
        "call describe dismiss reject deny slam criticize criticise condemn blast accuse praise welcome blame"
        " believe think hope ask wonder express voice cite quote expect agree consider regret thank"
        " congratulate compare refer speak propose demand hail answer continue mock defend attack question"
        " ridicule denounce deride rip tout brand label dub deem liken characterize portray credit fault"
        " lambaste assail excoriate skewer rebuke chastise chide scold taunt belittle disparage trash lash"
        " applaud commend laud salute celebrate endorse challenge dispute allow advise threaten invoke charge"
        " laugh nod shrug offer recommend interrupt rebut admonish berate exhort cheer pronounce disagree"
        " bristle fume seethe inquire begin"
    )
)
# Nouns more often than verbs, even behind a name: "Hobbs posts", "the Hobbs attacks".
_NOUN_FORMS = make_word_set(
    "posts texts emails comments tweets points lectures objects protests remarks reasons cracks yells shouts"
    " states roars echoes brands labels charges lashes voices attacks questions offers challenges cheers"
    " demands faults credits disputes laughs nods shrugs celebrates salutes trashes"
)
SAYING_VERBS = (_SAYING_FORMS.past | _SAYING_FORMS.present) - _NOUN_FORMS
# Acts that amount to a claim only when the text elsewhere lets the person speak, or quotes words beside them.
ACTING_VERBS = (_ACTING_FORMS.past | _ACTING_FORMS.present | make_word_set("began")) - _NOUN_FORMS
# Behind "would", "did" and the like.
VERB_BASES = _SAYING_FORMS.base | _ACTING_FORMS.base
# Behind a comma these go on with what the subject of the sentence says.
SAYING_PARTICIPLES = make_word_set(
    "saying adding telling arguing noting stressing insisting claiming warning explaining promising declaring"
    " asserting suggesting vowing joking stating emphasizing emphasising calling accusing urging"
)
INVERTIBLE_VERBS = (
    SAYING_VERBS | _SAYING_FORMS.present | make_word_set("asked wondered asks answered answers continued continues")
) - (make_word_set("told tells informed reminded assured urged informs reminds assures urges"))
# "shot back" is an answer, "shot" is none; "put it" likewise.
PARTICLE_VERBS = {
    "back": make_word_set("shot fired hit pushed fires hits pushes shoots"),
    "it": make_word_set("put puts sees tells"),
}
QUOTING_VERBS = frozenset(["quoted", "cited", "quotes", "cites", "quoting", "citing"])
MODALS = make_word_set("will would can could may might must shall should did does do")
INTERVENING_WORDS = make_word_set(
    "also then later once again however further repeatedly already previously recently earlier thus still"
    " has have had himself herself in turn often always just now even went on to long ever first meanwhile"
    " instead simply twice sometimes"
)
