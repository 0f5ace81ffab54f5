"""Policies from files: what is taken, what is refused by name, and what a machine may act on."""

import json
from dataclasses import replace

import pytest

from haechi.errors import PolicyRefused
from haechi.index import DEFAULT, Hit, Policy, Verdict
from haechi.index.clips import Clip


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


@pytest.mark.parametrize(("frames", "sure"), [(None, False), (1, False), (2, False), (3, True)])
def test_one_frame_of_a_film_is_left_to_a_person(frames: int | None, *, sure: bool) -> None:
    """A title card, or a still that many films share, must not be removed by a machine."""
    clip = None if frames is None else Clip(0.0, 1.0, 0.0, 1.0, frames, 0.1)
    hit = Hit(1, Verdict.EDITED_COPY, 4, None, 0, "vpdq", clip)
    assert Policy().certain(hit) is sure
    assert Policy().certain(replace(hit, verdict=Verdict.SAME_PICTURE))
    assert Policy().certain(replace(hit, similarity=0.9))
