"""What only the Method page asks of a snapshot: where its texts are from."""

from __future__ import annotations

import pandas as pd

from narratives.store.queries import Snapshot


def sources(snapshot: Snapshot) -> pd.DataFrame:
    """Columns outlet, host, text_kind, documents, first, last; most documents first.

    `host` is that of the documents' addresses, empty where they have none; `first` and `last` are the
    earliest and latest date as they are known, empty where there is none.
    """
    return snapshot.frame(
        """
        SELECT d.outlet, lower(regexp_extract(d.url, '^https?://([^/:?#]+)', 1)) AS host, d.text_kind,
               count(*) AS documents, coalesce(min(nullif(d.date, '')), '') AS first,
               coalesce(max(nullif(d.date, '')), '') AS last
        FROM snap.documents d WHERE d.status = 'read'
        GROUP BY 1, 2, 3 ORDER BY documents DESC, 1, 2, 3
        """
    )
