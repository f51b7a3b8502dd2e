"""What ships with the program, and where it is."""

from __future__ import annotations

from pathlib import Path

# In a checkout the pages and the data are beside the package; an installed package carries them inside.
_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_app"
APP = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
DATA_FOLDER = APP / "data"
SAMPLE_FOLDER = DATA_FOLDER / "sample"
SAMPLE_NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"
