"""Make data/vectors: those of the sample and of the default codebook, and the classifier's outputs for the sample.

    python -m benchmarks.make_vectors [fp32|bf16]

With them the first snapshot of a new installation needs no model. Builds the sample into a temporary store without the
vectors that ship now, and keeps its vector files as they are, with their checksums. Run it again when the sample, the
codebook, the classifier or the bundled model changes: test_shipped_vectors.py fails until then. Makes the vectors of
both variants unless one is named; bf16 takes long on a processor without AMX.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from narratives import embed
from narratives.embed.encoder import VARIANTS
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER
from narratives.workflows.build import BuildRequest, build


def main(variants: Sequence[str]) -> None:
    shipped = DATA_FOLDER / "vectors"
    for variant in variants:
        for folder in shipped.glob(f"*-{variant}"):
            shutil.rmtree(folder)
        encoder = embed.load_encoder(variant=variant)
        with tempfile.TemporaryDirectory() as temporary:
            report = build(BuildRequest(inputs=(str(SAMPLE_FOLDER),), store=Path(temporary)), encoder=encoder)
            shutil.copytree(Path(temporary, "vectors"), shipped, dirs_exist_ok=True)
        print(f"{variant}: {report.encoded} texts encoded")
    size = sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file())
    print(f"{shipped}: {size:,} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the vectors that ship.")
    parser.add_argument("variants", nargs="*", choices=VARIANTS, default=VARIANTS)
    main(parser.parse_args().variants)
