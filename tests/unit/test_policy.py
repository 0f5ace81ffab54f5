"""Policies from files: what is taken, what is refused by name, and what a hit is judged by."""

import json

import pytest

from haechi.errors import PolicyRefused
from haechi.index import DEFAULT, Hit, Policy, Verdict


def test_a_policy_survives_its_file() -> None:
    policy = Policy(pdq_edited_bits=24, sscd_similarity=0.6)
    assert Policy.from_json(policy.to_json()) == policy


def test_what_is_not_named_keeps_its_default() -> None:
    told = json.dumps({"sscd_certain": 0.8, "calibration": {"pictures": 3}})
    assert Policy.from_json(told) == Policy(sscd_certain=0.8)
    assert Policy.from_json("{}") == DEFAULT


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ('{"sscd_similarty": 0.5}', "sscd_similarty"),
        ('{"pdq_edited_bits": 41}', "pdq_edited_bits"),
        ('{"pdq_edited_bits": 20.5}', "pdq_edited_bits"),
        ('{"pdq_same_bits": true}', "pdq_same_bits"),
        ('{"min_quality": -1}', "min_quality"),
        ('{"sscd_similarity": 1.5}', "sscd_similarity"),
        ('{"sscd_similarity": NaN}', "sscd_similarity"),
        ('{"sscd_view_similarity": null}', "sscd_view_similarity"),
        ('{"sscd_certain": "0.7"}', "sscd_certain"),
        ("[]", "object"),
        ("{", "JSON"),
    ],
)
def test_nonsense_is_refused_by_name(told: str, named: str) -> None:
    with pytest.raises(PolicyRefused, match=named):
        Policy.from_json(told)


def hit(bits: int | None, similarity: float | None, found_by: str, verdict: Verdict) -> Hit:
    return Hit(1, verdict, bits, similarity, 0, found_by)


@pytest.mark.parametrize(
    ("found", "admitted"),
    [
        (hit(None, None, "sha256", Verdict.IDENTICAL_FILE), True),
        (hit(20, None, "pdq", Verdict.EDITED_COPY), True),
        (hit(21, None, "pdq", Verdict.EDITED_COPY), False),
        (hit(21, 0.65, "pdq", Verdict.EDITED_COPY), True),
        (hit(21, 0.55, "pdq", Verdict.EDITED_COPY), False),
        (hit(None, 0.50, "sscd", Verdict.EDITED_COPY), True),
        (hit(None, 0.50, "sscd_view", Verdict.EDITED_COPY), False),
        (hit(None, 0.49, "sscd", Verdict.EDITED_COPY), False),
    ],
)
def test_a_stricter_policy_judges_a_hit(found: Hit, *, admitted: bool) -> None:
    strict = Policy(pdq_edited_bits=20, sscd_similarity=0.5, sscd_view_similarity=0.6)
    assert strict.admits(found) is admitted
