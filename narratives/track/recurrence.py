"""What recurrence is, in a corpus of a given size."""

from __future__ import annotations

from collections.abc import Sequence

FEW_DOCUMENTS, MANY_DOCUMENTS = 30, 300


def recurs(document_ids: Sequence[str], dates: Sequence[str], corpus: int) -> bool:
    """Whether what these paragraphs share is said again and again; `dates` are theirs, `YYYY[-MM[-DD]]`.

    At least 5 documents and 3 quarters; 3 documents and 2 months in a corpus of fewer than 300 documents, 2
    documents in one of fewer than 30. A date known to the year counts as another quarter or month only where
    no month of that year is known.
    """
    documents = len(set(document_ids))
    if corpus < FEW_DOCUMENTS:
        return documents >= 2
    many = corpus >= MANY_DOCUMENTS
    times = {_quarter(date) if many else date[:7] for date in dates if len(date) >= 7}
    years = {date for date in dates if len(date) == 4} - {time[:4] for time in times}
    return documents >= (5 if many else 3) and len(times) + len(years) >= (3 if many else 2)


def _quarter(date: str) -> str:
    return f"{date[:4]}-Q{(int(date[5:7]) + 2) // 3}"
