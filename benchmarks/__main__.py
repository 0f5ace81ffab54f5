"""`python -m benchmarks [name ...]`: measure, print one table, keep it in benchmarks/results."""

import importlib
import sys
from typing import TYPE_CHECKING

from benchmarks import table

if TYPE_CHECKING:
    from benchmarks.rows import Row

MODULES = ("pdq", "hamming", "embeddings", "video", "service", "propagation", "backward")


def main(chosen: list[str]) -> int:
    """Every module, or those named. 2 if a name is unknown."""
    unknown = set(chosen) - set(MODULES)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
        return 2
    rows: list[Row] = []
    table.head()
    for name in chosen or MODULES:
        measured = importlib.import_module(f"benchmarks.{name}").measure()
        table.show(measured)
        rows += measured
    print(f"kept in {table.write(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
