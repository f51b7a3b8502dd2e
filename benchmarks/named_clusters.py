"""Which clusters of a store align with given narratives, how pure they are, and their central paragraphs.

python -m benchmarks.named_clusters STORE [NARRATIVE_ID ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

from narratives.store import open_snapshot

DEFAULT = ("western_russophobia", "us_meddles_too", "syria_counterterrorism")
LEAST_PURITY = 0.2
SHOWN = 5


def main(store: Path, narratives: tuple[str, ...]) -> None:
    """Print, for each narrative, its clusters by falling purity with five paragraphs of each."""
    snapshot = open_snapshot(store)
    for narrative in narratives:
        found = snapshot.frame(
            f"SELECT * FROM snap.clusters WHERE nearest = $narrative AND purity >= {LEAST_PURITY} "
            "ORDER BY purity DESC, cluster_id",
            {"narrative": narrative},
        )
        assigned = snapshot.frame(
            "SELECT count(*) AS n FROM snap.assignments a JOIN snap.paragraphs p USING (paragraph_id) "
            "WHERE narrative_id = $narrative AND duplicate_of = ''",
            {"narrative": narrative},
        )["n"][0]
        held = round(sum(found["purity"] * found["size"]))
        print(f"\n# {narrative}: {len(found)} clusters hold {held} of its {assigned} paragraphs")
        for cluster in found.itertuples():
            state = "carries its name" if cluster.narrative_id else "nearest to it"
            print(f"\n{cluster.cluster_id} {cluster.name}: {cluster.size} paragraphs, {state}")
            print(f"  purity {cluster.purity:.2f}, recurring {cluster.recurring}, routine {cluster.routine}")
            members = snapshot.frame(
                "SELECT p.date, p.speaker, p.text FROM snap.cluster_members m "
                "JOIN snap.paragraphs p USING (paragraph_id) "
                "WHERE m.cluster_id = $cluster AND m.rank <= $shown ORDER BY m.rank",
                {"cluster": str(cluster.cluster_id), "shown": SHOWN},
            )
            for date, speaker, text in members.astype(str).itertuples(index=False, name=None):
                print(f"  - {date} {speaker or '(none named)'}: {text[:160]}")
    snapshot.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(sys.argv[2:]) or DEFAULT)
