"""What ships with the program, and where it lies."""

from __future__ import annotations

from pathlib import Path

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"
SAMPLE_FOLDER = DATA_FOLDER / "sample"
SAMPLE_NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"
