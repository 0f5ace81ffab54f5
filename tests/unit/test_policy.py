"""Policies from files: what is taken, what is refused by name, and what a machine may act on."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from haechi.errors import PolicyRefused, SettingRefused
from haechi.index import DEFAULT, Hit, Policy, Verdict, policy_file, thresholds
from haechi.index import policy as policies
from haechi.index.clips import Clip
from haechi.match_service.config import Settings

ENVIRON = {"HAECHI_DATABASE_URL": "postgresql:///x", "HAECHI_DIGEST_KEY": "ab" * 32}
MEASURED = {"pictures": 1_200, "whole": {"pairs": 719_400, "value_at_rate": 0.41}}


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


@pytest.mark.parametrize("name", thresholds.NAMES)
def test_a_bank_and_a_file_take_and_refuse_the_same(name: str) -> None:
    """One check for both: what one admits, the other does not refuse."""
    low, high = policies.span(name)
    for value in (low, high):
        assert thresholds.checked({name: value}) == {name: value}
        assert getattr(Policy.from_json(json.dumps({name: value})), name) == value
    for value in (low - 0.1, high + 0.1, low - 1, high + 1):
        with pytest.raises(PolicyRefused, match=name):
            thresholds.checked({name: value})
        with pytest.raises(PolicyRefused, match=name):
            Policy.from_json(json.dumps({name: value}))


# --- HAECHI_POLICY_FILE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What `haechi calibrate --write` leaves."""
    made = tmp_path / "policy.json"
    made.write_text(policy_file.text(Policy(pdq_edited_bits=20, sscd_certain=0.9), MEASURED))
    return made


def test_a_service_takes_what_was_calibrated(file: Path) -> None:
    wanted = Policy(pdq_edited_bits=20, sscd_certain=0.9)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert policy_file.read(str(file)) == wanted
    for named in (str(file), f"{file}#sha256={digest}", f"{file}#sha256={digest.upper()}"):
        environ = {**ENVIRON, "HAECHI_POLICY_FILE": named}
        assert Settings.from_environ(environ).policy == wanted
    assert Settings.from_environ({**ENVIRON, "HAECHI_POLICY_FILE": ""}).policy == DEFAULT


def refused(named: object, why: str) -> None:
    with pytest.raises(SettingRefused, match=f"HAECHI_POLICY_FILE is not fit: .*{why}"):
        Settings.from_environ({**ENVIRON, "HAECHI_POLICY_FILE": str(named)})


def test_a_file_that_is_unfit_is_refused_in_words(file: Path, tmp_path: Path) -> None:
    """Changed by one digit, cut short, typed by hand, another one, or not there."""
    good = file.read_text()
    refused(f"{file}#sha256={'0' * 64}", "its SHA-256 is")
    refused(tmp_path / "none.json", "cannot be read")
    refused(tmp_path, "cannot be read")
    file.write_text(good.replace('"pdq_edited_bits": 20', '"pdq_edited_bits": 30'))
    refused(file, "changed after haechi calibrate wrote it")
    file.write_text(good.replace("719400", "7194000"))
    refused(file, "changed after haechi calibrate wrote it")
    file.write_text(good[: len(good) // 2])
    refused(file, "not JSON")
    file.write_bytes(b"\xff\xfe")
    refused(file, "no text")
    file.write_text(Policy().to_json())
    refused(file, "not as haechi calibrate --write leaves it")
    assert policy_file.read(str(file)) == Policy(), "good enough for --policy"
    content = json.loads(good) | {"pdq_edited_bits": 41}
    del content["sha256"]
    file.write_text(json.dumps(content))
    refused(file, "pdq_edited_bits must be from 0 to 40")
    file.write_text(" " * (policy_file.LIMIT_BYTES + 1))
    refused(file, "longer than")
