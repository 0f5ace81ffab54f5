"""`make hostile`: the whole corpus, 20,000 harmed files of every kind, one after another.

Prints what became of them, by kind, and exits 1 if a decoder crashed or hung, if anything but one of
our errors came out, or if this process has grown or holds files and processes that it should not.
A file that failed is named by its number: `harmed(number, everything())` makes it again. What is
done so far is printed at every thousand, and at Ctrl-C.
"""

import argparse
import contextlib
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.hostile.corpus import everything, harmed

from haechi import fingerprint
from haechi.errors import MediaError
from haechi.media import Limits, Sandbox, decode, sniff

# A job may take a minute: this runs beside other work, and only a hang shall count as one.
LIMITS = Limits(
    pixels=4_000_000, video_pixels=4_000_000, video_frames=5_000, seconds=60.0, video_job_s=60.0
)
FATAL = frozenset({"media.crashed", "media.timeout"})
SETTLED_AFTER = 2_000
GROWTH_KIB = 100 * 1024


class Outcome(NamedTuple):
    """What became of one file. `code`: "seen", one of our codes, or a foreign exception's name."""

    number: int
    kind: str
    code: str
    seconds: float

    @property
    def fatal(self) -> bool:
        """Whether somebody must look at it."""
        return self.code in FATAL or self.code.startswith("foreign")


def outcome(sandbox: Sandbox, number: int) -> Outcome:
    """Open file `number` in every way that an upload is opened."""
    good = everything()
    data = harmed(number, good)
    kind, begun = sniff(good[number % len(good)]), time.monotonic()
    try:
        if not kind.is_video:
            sandbox.run(decode, data, limits=LIMITS)
        sandbox.run(fingerprint.hashes, data, LIMITS)
        code = "seen"
    except MediaError as error:
        code = error.code
    except Exception as error:  # noqa: BLE001 - that there is none is what is tested
        code = f"foreign {type(error).__name__}"
    return Outcome(number, kind.value, code, time.monotonic() - begun)


def outcomes(first: int, count: int) -> Iterator[Outcome]:
    """Of files `first` to `first` + `count`, in order."""
    with Sandbox(2, LIMITS) as sandbox, ThreadPoolExecutor(2) as threads:
        for start in range(first, first + count, 200):
            numbers = range(start, min(start + 200, first + count))
            yield from threads.map(lambda number: outcome(sandbox, number), numbers)


def held() -> tuple[int, int]:
    """Open files of this process, and its largest size so far in KiB."""
    files = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    return files, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(argv: list[str]) -> int:
    """Run the corpus; 0 if nothing fatal came out."""
    asked = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    asked.add_argument("--files", type=int, default=20_000)
    asked.add_argument("--first", type=int, default=0, help="number of the first file")
    told = asked.parse_args(argv)
    count: Counter[tuple[str, str]] = Counter()
    bad: list[Outcome] = []
    done, slowest, settled = 0, 0.0, held()
    with contextlib.suppress(KeyboardInterrupt):
        for one in outcomes(told.first, told.files):
            count[one.kind, one.code] += 1
            done += 1
            slowest = max(slowest, one.seconds)
            if one.fatal:
                bad.append(one)
                print(f"file {one.number} ({one.kind}): {one.code} after {one.seconds:.1f} s")
            if done == SETTLED_AFTER:
                settled = held()
            if done % 1_000 == 0:
                print(f"{done} files, {len(bad)} fatal, slowest {slowest:.1f} s", flush=True)
    grown = held()[1] - settled[1] if done > SETTLED_AFTER else 0
    _table(count)
    print(f"{done} of {told.files} files; {len(bad)} fatal; slowest {slowest:.2f} s", end="; ")
    print(f"grown by {max(0, grown) // 1024} MiB since file {SETTLED_AFTER}", end="; ")
    print(f"{held()[0]} files open, {settled[0]} before")
    leaky = grown > GROWTH_KIB or held()[0] > settled[0] + 8
    return 1 if bad or leaky or done < told.files else 0


def _table(count: Counter[tuple[str, str]]) -> None:
    for kind in sorted({kind for kind, _ in count}):
        parts = sorted((code, n) for (its, code), n in count.items() if its == kind)
        print(f"{kind:6} {sum(n for _, n in parts):6}  " + ", ".join(f"{n} {c}" for c, n in parts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
