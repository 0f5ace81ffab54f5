"""`python -m benchmarks [name ...]`: measure, print one table, keep it in benchmarks/results."""

import importlib
import sys
import traceback
from typing import TYPE_CHECKING

from benchmarks import table

if TYPE_CHECKING:
    from benchmarks.rows import Row

MODULES = (
    "pdq",
    "hamming",
    "embeddings",
    "video",
    "service",
    "propagation",
    "backward",
    "door",
    "ledger",
    "queue",
    "watermark",
    "trace",
)


def main(chosen: list[str]) -> int:
    """Every module, or those named. 1 if one could not be measured, 2 if a name is unknown."""
    unknown = set(chosen) - set(MODULES)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
        return 2
    rows: list[Row] = []
    failed: list[str] = []
    table.head()
    for name in chosen or MODULES:
        try:
            measured = importlib.import_module(f"benchmarks.{name}").measure()
        except Exception:  # noqa: BLE001 - the others are worth having
            traceback.print_exc()
            failed.append(name)
            continue
        table.show(measured)
        rows += measured
    if failed:
        print(f"not measured: {', '.join(failed)}")
    print(f"kept in {table.write(rows)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
