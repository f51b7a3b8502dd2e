"""Languages of documents and paragraphs."""

from __future__ import annotations

from narratives.parse.document import detect_document_language, detect_paragraph_language

ENGLISH = "The ministers met in the morning and agreed to continue their talks next week in the capital."
RUSSIAN = "Министры встретились утром и договорились продолжить переговоры на следующей неделе в столице."
GERMAN = "Die Minister trafen sich am Morgen und wollen die Gespräche in der nächsten Woche fortsetzen."


def test_documents():
    assert [detect_document_language(t) for t in (ENGLISH, RUSSIAN, GERMAN)] == ["en", "ru", "de"]
    assert detect_document_language("", "en-GB") == detect_document_language("", "English") == "en"
    assert detect_document_language(RUSSIAN, "not a language") == "ru"
    assert detect_document_language("123 ...") == ""


def test_paragraphs_of_another_language_are_told_and_short_ones_follow_the_document():
    assert detect_paragraph_language(RUSSIAN, "en") == "ru"
    assert detect_paragraph_language(GERMAN, "en") == "de"
    assert detect_paragraph_language("Dobro pozhalovat!", "en") == "en"
    assert detect_paragraph_language("Thank you.", "en") == "en"
    assert detect_paragraph_language("Спасибо, коллеги.", "en") != "en"
    assert detect_paragraph_language("2016", "en") == "en"
