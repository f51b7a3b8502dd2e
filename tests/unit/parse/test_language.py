"""Languages of documents and paragraphs."""

from __future__ import annotations

from narratives.parse.document import document_language, paragraph_language

ENGLISH = "The ministers met in the morning and agreed to continue their talks next week in the capital."
RUSSIAN = "Министры встретились утром и договорились продолжить переговоры на следующей неделе в столице."
GERMAN = "Die Minister trafen sich am Morgen und wollen die Gespräche in der nächsten Woche fortsetzen."


def test_documents():
    assert [document_language(t) for t in (ENGLISH, RUSSIAN, GERMAN)] == ["en", "ru", "de"]
    assert document_language("", "en-GB") == document_language("", "English") == "en"
    assert document_language(RUSSIAN, "not a language") == "ru"
    assert document_language("123 ...") == ""


def test_paragraphs_of_another_language_are_told_and_short_ones_follow_the_document():
    assert paragraph_language(RUSSIAN, "en") == "ru"
    assert paragraph_language(GERMAN, "en") == "de"
    assert paragraph_language("Dobro pozhalovat!", "en") == "en"
    assert paragraph_language("Thank you.", "en") == "en"
    assert paragraph_language("Спасибо, коллеги.", "en") != "en"
    assert paragraph_language("2016", "en") == "en"
