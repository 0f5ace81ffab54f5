"""The card of an evaluation: one JSON document, and the gate that compares it with the last."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from haechi.errors import ManifestRefused
from haechi.evaluation.detect.confounds import Confound
from haechi.formats import strict_json

FORMAT = "haechi-detection-card/1"
WORST_ACCUSED = 0.01
"""Of photographs of cameras that may be called made or altered: the promise of the fused answer."""

_SLACK = 0.01

type Told = dict[str, Any]


def card(
    *,
    manifest_sha256: str,
    made_at: str,
    counts: Mapping[str, int],
    confounds: Sequence[Confound],
    systems: Mapping[str, Told],
    edits: Mapping[str, Mapping[str, Told]],
    settings: Mapping[str, object],
) -> Told:
    """The document; confounds come before any figure."""
    return {
        "format": FORMAT,
        "made_at": made_at,
        "manifest_sha256": manifest_sha256,
        "settings": dict(settings),
        "counts": dict(counts),
        "confounds": [asdict(one) for one in confounds],
        "systems": dict(systems),
        "edits": {name: dict(by) for name, by in edits.items()},
    }


def read(text: bytes) -> Told:
    """A card that was written before. Raises ManifestRefused for anything else."""
    try:
        told = strict_json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestRefused(f"the last card is no JSON: {error}"[:300]) from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ManifestRefused(f"the last card is not of the form {FORMAT}")
    return told


def gate(new: Told, last: Told | None) -> list[str]:
    """Why this must not be released, each a sentence; none if it may.

    Without a last card only the promise on false accusations is tested.
    """
    found = []
    answers = (new["systems"].get("fused") or {}).get("answers")
    if answers and (answers["accused_rate"] or 0) > WORST_ACCUSED:
        found.append(
            f"{answers['accused']} real pictures are called made or altered "
            f"({answers['accused_rate']:.1%}); at most {WORST_ACCUSED:.0%} may be"
        )
    if last is None:
        return found
    if last["manifest_sha256"] != new["manifest_sha256"] or last["settings"] != new["settings"]:
        return [
            *found,
            "the last card is of other pictures or settings, so nothing can be compared",
        ]
    for name, before in last["systems"].items():
        if name not in new["systems"]:
            found.append(f"{name} is on the last card and was not evaluated")
            continue
        found += [f"{name}: {words}" for words in _worse(new["systems"][name], before)]
        for edit, by in last["edits"].items():
            now = new["edits"].get(edit, {}).get(name)
            drop = _dropped(now, by.get(name))
            if drop:
                found.append(f"{name} after {edit}: {drop}")
    return found


def _worse(now: Told, before: Told) -> list[str]:
    found = [words for words in (_dropped(now, before),) if words]
    for new_at, old_at in zip(now["at"], before["at"], strict=True):
        new_value, old_value = _value(new_at["caught"]), _value(old_at["caught"])
        if old_value is not None and (new_value is None or new_value < old_value - _SLACK):
            rate = f"{old_at['rate']:.0%}"
            found.append(
                f"catches {_told(new_value)} at {rate} false alarms, was {_told(old_value)}"
            )
    for kind in ("real", "fake"):
        new_share, old_share = now["abstained"][kind], before["abstained"][kind]
        if None not in {new_share, old_share} and new_share > old_share + _SLACK:
            found.append(
                f"says nothing about {new_share:.1%} of {kind} pictures, was {old_share:.1%}"
            )
    if (
        now["answers"]
        and before["answers"]
        and now["answers"]["accused"] > before["answers"]["accused"]
    ):
        found.append(
            f"accuses {now['answers']['accused']} real pictures, was {before['answers']['accused']}"
        )
    return found


def _dropped(now: Told | None, before: Told | None) -> str:
    old = None if before is None else _value(before["auc"])
    new = None if now is None else _value(now["auc"])
    if old is None or (new is not None and new >= old - _SLACK):
        return ""
    return f"AUC {_told(new)}, was {_told(old)}"


def _value(figure: Told | None) -> float | None:
    return None if figure is None else figure["value"]


def _told(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.3f}"
