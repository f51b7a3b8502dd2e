"""Random histories of a vector file: whatever is torn or interrupted, no text gets another text's vector."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.vector_files import killed_after, opened, vectors_of

texts = st.lists(st.text(st.sampled_from("abcd"), max_size=2), max_size=8)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), texts),
        st.tuples(st.just("killed"), st.tuples(texts, st.integers(0, 3), st.integers(0, 60))),
        st.tuples(st.sampled_from(["reopen", "mend"]), st.none()),
        st.tuples(st.sampled_from(["keys.bin", "vectors.f32", "sums.u32"]), st.integers(1, 60)),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_no_interleaving_of_appends_kills_and_losses_gives_a_wrong_vector(steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, kept = Path(folder), opened(Path(folder))
        sure: set[str] = set()
        cut = False
        for what, with_ in steps:
            if what == "append":
                kept.append(with_, vectors_of(with_))
                sure |= set(with_)
            elif what == "killed":
                batch, writes, written = with_
                with killed_after(writes, written):
                    kept.append(batch, vectors_of(batch))
                kept = opened(path)
            elif what == "mend":
                assert (kept.repair().damaged > 0) <= cut
                cut = False
            elif what != "reopen" and (path / "v" / what).exists():
                # Worse than any kill: the end of one file is gone. Then a text may lack, but none be wrong.
                with (path / "v" / what).open("r+b") as file:
                    file.truncate(max(0, (path / "v" / what).stat().st_size - with_))
                sure, cut = set(), True
                kept = opened(path)
            else:
                kept = opened(path)
            every = {a + b for a in ["", *"abcd"] for b in ["", *"abcd"]}
            held = sorted(every - set(kept.missing(sorted(every))))
            assert sure <= set(held)
            assert np.array_equal(kept.get(held), vectors_of(held))
            assert not len(kept.find_damaged()) and (cut or not kept.count_lost())
