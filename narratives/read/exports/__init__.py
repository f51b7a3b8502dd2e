"""Split the exports of news databases into their articles: LexisNexis, Nexis Uni, Factiva and ProQuest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.exports import factiva, lexis, proquest
from narratives.read.exports.lines import Article, Group, group_lines
from narratives.read.rows import make_document, make_rejected

__all__ = ["EXPORT_MARK", "read_export", "split_export"]

# Words in the bytes of every page that may hold an export; a page is searched for articles only with one of them.
EXPORT_MARK = re.compile(
    rb"End of Document|Ende des Dokuments|Fin du document|Fin del documento|Einde van document|\d DO[CK]UMENT"
    rb"|Do[ck]umento? (?:\d+ \w{2,3} \d+|[A-Z][A-Z0-9]{2,9}0[A-Za-z0-9]{14})|ProQuest|LOAD-DATE",
    re.IGNORECASE,
)


def read_export(
    text: str, file: InputFile, columns: Mapping[str, str], join_lines: Callable[[Sequence[str]], str] | None = None
) -> list[RawDocument | Rejected]:
    """Return the articles of an export, with `row` from 1 if there are several; empty if the text is no export.

    Blank lines separate the paragraphs of the text; `join_lines` joins those of an article if they are only its
    lines. `columns` may map a field to `byline` or `section`. Raises ReadError if it is an export whose articles
    cannot be told apart.
    """
    documents: list[RawDocument | Rejected] = []
    articles = split_export(text)
    row = 1 if len(articles) > 1 else 0
    for article in articles:
        if join_lines and article.get("text"):
            article["text"] = join_lines(article["text"].split("\n\n"))
        try:
            if not article.get("text"):
                got = f"only the title and the data of {article.get('title') or 'an article'!r}"
                raise ReadError("an article with its text", got, "Download it with its full text, or leave it out.")
            documents.append(make_document(article, file, row, columns))
        except ReadError as error:
            documents.append(make_rejected(file.source_path, row, error))
        row += 1
    return documents


def split_export(text: str) -> list[Article]:
    """Return the articles of an export; empty if the text is none.

    Raises ReadError if the text has the fields of several articles, and no line that separates them.
    """
    if not any(module.may_be_export(text) for module in (lexis, factiva, proquest)):
        return []
    groups = group_lines(text)
    splitters: tuple[Callable[[Sequence[Group]], list[Article]], ...] = (
        proquest.split_articles,
        factiva.split_articles,
        lexis.split_articles,
    )
    for split_articles in splitters:
        if articles := split_articles(groups):
            return articles
    number = max(proquest.count_articles(groups), factiva.count_articles(groups), lexis.count_articles(groups))
    if number > 1:
        hint = "Download it again as .docx or .txt with one article after the other, or save each as a file of its own."
        got = f"the data of {number} articles without the lines that separate them"
        raise ReadError("an export of Nexis, Factiva or ProQuest as it was downloaded", got, hint)
    return []
