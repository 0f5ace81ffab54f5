"""A file of thresholds, as `haechi calibrate --write` makes it and `--policy` names it."""

from haechi.index import DEFAULT, Policy, policy_file


def policy(path: str | None) -> Policy:
    """The policy in the file, or the default without one. Raises PolicyRefused or OSError."""
    return DEFAULT if path is None else policy_file.read(path)
