"""Thresholds in a file, as `haechi calibrate --write` leaves them.

The file holds the thresholds, what they were calibrated on, and the SHA-256 of both, so that one that
was cut short or changed by hand is told from one that was measured.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from haechi.errors import PolicyRefused
from haechi.index.policy import Policy

VARIABLE = "HAECHI_POLICY_FILE"
LIMIT_BYTES = 1_000_000

type Content = Mapping[str, object]


def text(policy: Policy, calibration: Content) -> str:
    """The file of a policy that was calibrated."""
    content: dict[str, object] = {**asdict(policy), "calibration": dict(calibration)}
    return json.dumps({**content, "sha256": _digest(content)}, indent=2) + "\n"


def read(path: str) -> Policy:
    """The thresholds in a file, calibrated or typed by somebody. Raises PolicyRefused or OSError."""
    try:
        return _read(Path(path).read_bytes())[0]
    except PolicyRefused as error:
        raise PolicyRefused(f"{path}: {error}") from error


def calibrated(named: str) -> Policy:
    """The thresholds of a service, from PATH or PATH#sha256=HEX (the digest of the whole file).

    Only what `haechi calibrate --write` wrote and nobody changed since: what a machine may do alone
    hangs on it. Raises PolicyRefused.
    """
    path, marked, wanted = named.partition("#sha256=")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PolicyRefused(f"{path}: it cannot be read ({error.strerror})") from error
    try:
        return _calibrated(data, wanted if marked else None)
    except PolicyRefused as error:
        raise PolicyRefused(f"{path}: {error}") from error


def _calibrated(data: bytes, wanted: str | None) -> Policy:
    digest = hashlib.sha256(data).hexdigest()
    if wanted is not None and digest != wanted.lower():
        raise PolicyRefused(f"its SHA-256 is {digest}, not {wanted}")
    policy, told = _read(data)
    if "sha256" not in told or not isinstance(told.get("calibration"), dict):
        raise PolicyRefused("it is not as haechi calibrate --write leaves it")
    return policy


def _read(data: bytes) -> tuple[Policy, dict[str, object]]:
    if len(data) > LIMIT_BYTES:
        raise PolicyRefused(f"it is longer than {LIMIT_BYTES} bytes")
    try:
        words = data.decode()
    except UnicodeDecodeError as error:
        raise PolicyRefused(f"it is no text: {error}") from error
    policy = Policy.from_json(words)
    told: dict[str, object] = json.loads(words)
    kept = told.get("sha256")
    if kept is not None and kept != _digest({k: v for k, v in told.items() if k != "sha256"}):
        raise PolicyRefused("it was changed after haechi calibrate wrote it: its SHA-256 differs")
    return policy, told


def _digest(content: Content) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()
