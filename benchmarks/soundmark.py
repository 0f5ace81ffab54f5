"""The inaudible mark: how often the id is read after edits, how well it is covered, what it costs.

    python -m benchmarks.soundmark [FOLDER]

Sounds come from FOLDER (whatever FFmpeg opens; at most 20 s of each); without one they are made here. One
thread; times are processor time. Nobody has listened: figures of `masking` are all that is said of that.
"""

# ruff: noqa: E402 - the number of threads is read when NumPy is imported
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks import masking, sounds
from benchmarks.rows import Row, row
from benchmarks.sounds import RATE, Samples
from haechi.labels.watermark import sound

KEY = b"a key for measuring and nothing else"
OTHERS = 2
"""So many other keys are tried on what is marked, and on what is not."""


def measure(folder: Path | None = None) -> list[Row]:
    """Rows for the table."""
    return list(rows_of(sounds.of(folder)))


def rows_of(every: Mapping[str, Samples]) -> Iterator[Row]:
    """Each as soon as it is measured."""
    long = {name: one for name, one in every.items() if len(one) >= sound.LEAST_S * RATE}
    marked = {name: sound.embed_sound(one, RATE, _id(name), key=KEY) for name, one in long.items()}
    yield from _covered(long, marked)
    edits = sounds.edits([one for _, one in sorted(long.items())])
    for name, edit in edits.items():
        lost = [which for which, one in marked.items() if not _read(edit(one), _id(which))]
        told = f"of {len(marked)}; lost {', '.join(lost) or 'none'}"
        yield row(f"sound.{name}", round(1 - len(lost) / len(marked), 3), None, "read", told)
    yield from _unmarked(long, marked)
    yield from _times(long, marked)


def _id(name: str) -> int:
    return int.from_bytes(name.encode().ljust(6)[:6], "big")


def _read(copy: Samples, wanted: int) -> bool:
    # As it is read from files.
    heard = sounds.resampled(copy.mean(axis=1, keepdims=True), 16_000)
    found = sound.detect_sound(heard, 16_000, key=KEY)
    return found is not None and found.payload == wanted


def _covered(long: Mapping[str, Samples], marked: Mapping[str, Samples]) -> Iterator[Row]:
    each = {name: masking.covered(one, marked[name], RATE) for name, one in long.items()}
    snr = [one.segment_snr_db for one in each.values()]
    under = [one.below_mask_db for one in each.values()]
    above = {name: one.above for name, one in each.items()}
    worst = max(above, key=lambda name: above[name])
    said = f"mean {np.mean(snr):.1f}; of {len(snr)} sounds"
    yield row("sound.segment_snr_least", round(min(snr), 1), None, "dB", said)
    said = f"mean {np.mean(under):.1f}; below the threshold of masking"
    yield row("sound.below_mask_least", round(min(under), 1), None, "dB", said)
    said = (
        f"of frames and bands above it in {worst}; mean {100 * np.mean(list(above.values())):.1f}"
    )
    yield row("sound.above_mask_most", round(100 * above[worst], 1), None, "%", said)


def _unmarked(long: Mapping[str, Samples], marked: Mapping[str, Samples]) -> Iterator[Row]:
    found = 0
    for samples in (*long.values(), *marked.values()):
        for number in range(OTHERS):
            other = f"another key {number}".encode()
            found += sound.detect_sound(samples, RATE, key=other) is not None
    tried = OTHERS * (len(long) + len(marked))
    yield row(
        "sound.false_ids", found, None, "ids", f"of {tried} sounds without a mark of that key"
    )


def _times(long: Mapping[str, Samples], marked: Mapping[str, Samples]) -> Iterator[Row]:
    """For a minute of sound in one channel, best of three."""
    name = max(long, key=lambda each: len(long[each]))
    minute = [np.resize(one[name].mean(axis=1), (60 * RATE, 1)) for one in (long, marked)]
    heard = [sounds.resampled(one, 16_000) for one in minute]
    acts = {
        "embed": lambda: sound.embed_sound(minute[0], RATE, 7, key=KEY),
        "detect": lambda: sound.detect_sound(heard[1], 16_000, key=KEY),
        "detect_unmarked": lambda: sound.detect_sound(heard[0], 16_000, key=KEY),
    }
    for what, act in acts.items():
        taken = []
        for _ in range(3):
            begun = time.process_time()
            act()
            taken.append(time.process_time() - begun)
        yield row(f"sound.{what}", round(1000 * min(taken)), None, "ms", "a minute of one channel")
    long_heard = np.resize(heard[0][:, 0], (round(16_000 * sound.LONGEST_S), 1))
    begun = time.process_time()
    sound.detect_sound(long_heard, 16_000, key=KEY)
    taken_s = time.process_time() - begun
    said = f"the longest that is searched, {sound.LONGEST_S:g} s, without a mark"
    yield row("sound.detect_longest", round(1000 * taken_s), None, "ms", said)


if __name__ == "__main__":
    from benchmarks import table

    table.head()
    measured = []
    for each in rows_of(sounds.of(Path(sys.argv[1]) if len(sys.argv) > 1 else None)):
        table.show([each])
        measured.append(each)
    print(f"kept in {table.write(measured)}")
