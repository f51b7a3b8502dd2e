"""Make data/vectors: those of the sample and of the default codebook, and the classifier's outputs for the sample.

    python -m benchmarks.make_vectors

With them the first snapshot of a new installation needs no model. Builds the sample into a temporary store without the
vectors that ship now, and keeps its vector files as they are, with their checksums. Run it again when the sample, the
codebook, the classifier or the bundled model changes: test_shipped_vectors.py fails until then.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from narratives import embed
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER
from narratives.workflows.build import BuildRequest, build


def main() -> None:
    shipped = DATA_FOLDER / "vectors"
    shutil.rmtree(shipped, ignore_errors=True)
    encoder = embed.load_encoder(variant="fp32")
    with tempfile.TemporaryDirectory() as folder:
        report = build(BuildRequest(inputs=(str(SAMPLE_FOLDER),), store=Path(folder)), encoder=encoder)
        shutil.copytree(Path(folder, "vectors"), shipped)
    size = sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file())
    print(f"{shipped}: {report.encoded} texts encoded, {size:,} bytes")


if __name__ == "__main__":
    main()
