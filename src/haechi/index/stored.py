"""A catalog's columns as a file, and back without trusting it."""

from collections.abc import Mapping
from os import PathLike

import numpy as np

from haechi.errors import IndexDamaged
from haechi.index import bits, snapshot
from haechi.index.columns import Array
from haechi.index.state import State, nothing

KIND = "haechi.catalog/1"
"""Another number whenever a column, its meaning or the drawing of sketches changes."""

_NEAR, _BESIDE = "near.", "beside."


NOTHING: Mapping[str, Array] = {}


def write(
    path: str | PathLike[str],
    sections: Mapping[str, Array],
    seq: int,
    beside: Mapping[str, Array] = NOTHING,
) -> None:
    """Write `sections` (`state.living`) to `path` in one step. Raises StorageUnavailable.

    The Hamming index goes with them, so that who opens the file need not build one, and what the
    caller keeps `beside`.
    """
    meta, built = bits.parts(sections["row.bits"])
    near = {f"{_NEAR}{name}": array for name, array in built.items()}
    more = {f"{_BESIDE}{name}": array for name, array in beside.items()}
    snapshot.write(path, KIND, {"seq": seq, "near": meta}, {**sections, **near, **more})


def read(path: str | PathLike[str]) -> tuple[State, int, dict[str, Array]]:
    """(state, seq, what was beside) of a file that `write` made; raises IndexDamaged.

    Row numbers lead into memory, in compiled code unchecked, so all are checked here.
    """
    meta, found = snapshot.read(path, KIND)
    if type(meta.get("seq")) is not int:
        raise IndexDamaged(path, "does not say which change it holds")
    near, beside = _take(found, _NEAR), _take(found, _BESIDE)
    why = _wrong(found)
    if why:
        raise IndexDamaged(path, why)
    try:
        index = bits.opened(meta["near"], near, found["row.bits"])
    except (KeyError, TypeError, ValueError) as error:
        raise IndexDamaged(path, f"holds no index of its hashes: {error}") from error
    return State(found, index), int(meta["seq"]), beside


def _take(found: dict[str, Array], prefix: str) -> dict[str, Array]:
    """Those whose name begins so, without that; `found` keeps the others."""
    names = [name for name in found if name.startswith(prefix)]
    return {name.removeprefix(prefix): found.pop(name) for name in names}


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
