"""What recurrence is, in a corpus of a given size."""

from __future__ import annotations

from collections.abc import Sequence

FEW_DOCUMENTS, MANY_DOCUMENTS = 30, 300
# Documents, and quarters or months, that a claim must be found in; of a very small corpus documents alone.
LEAST_MANY, LEAST_SOME, LEAST_FEW = (5, 3), (3, 2), 2


def recurs(
    document_ids: Sequence[str], dates: Sequence[str], corpus: int, many_least: tuple[int, int] = LEAST_MANY
) -> bool:
    """Whether what these paragraphs share is said again and again; `dates` are theirs, `YYYY[-MM[-DD]]`.

    At least 5 documents and 3 quarters, or what `many_least` says; 3 documents and 2 months in a corpus of
    fewer than 300 documents, 2 documents in one of fewer than 30. A date known to the year counts as another
    quarter or month only where no month of that year is known.
    """
    documents = len(set(document_ids))
    if corpus < FEW_DOCUMENTS:
        return documents >= LEAST_FEW
    many = corpus >= MANY_DOCUMENTS
    times = {_quarter(date) if many else date[:7] for date in dates if len(date) >= 7}
    years = {date for date in dates if len(date) == 4} - {time[:4] for time in times}
    least_documents, least_times = many_least if many else LEAST_SOME
    return documents >= least_documents and len(times) + len(years) >= least_times


def _quarter(date: str) -> str:
    return f"{date[:4]}-Q{(int(date[5:7]) + 2) // 3}"
