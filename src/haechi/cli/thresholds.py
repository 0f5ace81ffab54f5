"""A file of thresholds, as `haechi calibrate --write` makes it and `--policy` names it."""

from pathlib import Path

from haechi.errors import PolicyRefused
from haechi.index import DEFAULT, Policy


def policy(path: str | None) -> Policy:
    """The policy in the file, or the default without one. Raises PolicyRefused or OSError."""
    if path is None:
        return DEFAULT
    try:
        return Policy.from_json(Path(path).read_text(encoding="utf-8"))
    except (PolicyRefused, UnicodeDecodeError) as error:
        raise PolicyRefused(f"{path}: {error}") from error
