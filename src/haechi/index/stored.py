"""A catalog's columns as a file, and back without trusting it."""

from collections.abc import Mapping
from os import PathLike

import numpy as np

from haechi.errors import IndexDamaged
from haechi.index import snapshot
from haechi.index.columns import Array
from haechi.index.state import nothing

KIND = "haechi.catalog/1"
"""Another number whenever a column, its meaning or the drawing of sketches changes."""


def write(path: str | PathLike[str], sections: Mapping[str, Array], seq: int) -> None:
    """Write `sections` (`state.living`) to `path` in one step. Raises StorageUnavailable."""
    snapshot.write(path, KIND, {"seq": seq}, sections)


def read(path: str | PathLike[str]) -> tuple[dict[str, Array], int]:
    """(sections, seq) of a file that `write` made; raises IndexDamaged.

    Row numbers lead into memory, in compiled code unchecked, so all are checked here.
    """
    meta, sections = snapshot.read(path, KIND)
    if type(meta.get("seq")) is not int:
        raise IndexDamaged(path, "does not say which change it holds")
    why = _wrong(sections)
    if why:
        raise IndexDamaged(path, why)
    return sections, int(meta["seq"])


def _wrong(sections: Mapping[str, Array]) -> str | None:
    """What does not fit, or None."""
    form = nothing()
    if sections.keys() != form.keys():
        return "has other columns than a catalog"
    rows: dict[str, int] = {}
    for name, array in sections.items():
        if array.dtype != form[name].dtype or array.shape[1:] != form[name].shape[1:]:
            return f"has a column {name!r} of another form"
        # The two orders are of their own length each.
        table = name if name.startswith("order.") else name.partition(".")[0]
        if rows.setdefault(table, len(array)) != len(array):
            return f"has a column {name!r} of another length"
    slots = rows["slot"]
    for name in ("row.slot", "vector.owner", "order.key", "order.file"):
        if not snapshot.in_range(sections[name], slots):
            return f"has numbers in {name!r} that lead nowhere"
    if not (sections["vector.length"] >= 1).all() or not np.isfinite(sections["row.seconds"]).all():
        return "has lengths or times that are impossible"
    return None
