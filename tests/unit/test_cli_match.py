"""`haechi match` and `haechi compare`: what is found, where, and the exit codes of grep."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data
from tests.conftest import needs_model
from tests.unit.pictures_on_disk import EDITS, file_bytes, records, run

from haechi import cli
from haechi.fingerprint import sscd

NO_MODEL = {"HAECHI_SSCD_MODEL": "/nowhere.onnx"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """known/ has two pictures and a text; asked/ has every edit of one of them."""
    made = tmp_path_factory.mktemp("match")
    for name in ("known", "asked", "empty"):
        (made / name).mkdir()
    (made / "known" / "astronaut.png").write_bytes(file_bytes(data.astronaut(), "PNG"))
    (made / "known" / "coffee.png").write_bytes(file_bytes(data.coffee(), "PNG"))
    (made / "known" / "readme.txt").write_text("not a picture")
    for name, edit in EDITS.items():
        (made / "asked" / f"{name}.jpg").write_bytes(file_bytes(edit(data.astronaut()), quality=80))
    (made / "cat.jpg").write_bytes(file_bytes(data.cat()))
    return made


@pytest.fixture(scope="module")
def found(place: Path) -> dict[str, dict[str, Any]]:
    done = run("match", "--jsonl", "--against", place / "known", place / "asked")
    assert done.returncode == 0, done.stderr
    assert b"1 known files are no pictures" in done.stderr
    return {Path(record["path"]).stem: record for record in records(done)}


@needs_model
@pytest.mark.slow
def test_every_edit_is_found_with_its_region(found: dict[str, dict[str, Any]]) -> None:
    verdicts = {name: record["verdict"] for name, record in found.items()}
    assert verdicts == dict.fromkeys(sorted(EDITS), "edited_copy") | {
        "recompressed": "same_picture",
        "half": "same_picture",
    }
    for record in found.values():
        (hit,) = record["hits"]
        assert list(hit) == ["path", "verdict", "distance_bits", "similarity", "region"]
        assert hit["path"].endswith("known/astronaut.png")
        assert hit["region"] is not None
    border = found["border"]["hits"][0]
    assert np.abs(np.subtract(border["region"], (80, 50, 512, 512))).max() <= 3
    assert border["similarity"] > 0.5
    assert found["recompressed"]["hits"][0]["region"] == [0, 0, 512, 512]
    assert found["recompressed"]["hits"][0]["distance_bits"] <= 8


@pytest.mark.slow
def test_without_the_model_pdq_goes_on_and_says_what_is_missing(place: Path) -> None:
    asked = [place / "asked" / f"{name}.jpg" for name in ("half", "mirror", "crop")]
    done = run("match", "--jsonl", "--against", place / "known/astronaut.png", *asked, **NO_MODEL)

    verdicts = [record["verdict"] for record in records(done)]
    assert verdicts == ["same_picture", "edited_copy", "no_match"]
    assert records(done)[0]["hits"][0]["similarity"] is None
    assert len(done.stderr.splitlines()) == 1
    assert b"model is missing" in done.stderr


def test_exit_codes_are_as_greps(place: Path) -> None:
    known = place / "known" / "coffee.png"
    same = run("match", "--jsonl", "--against", known, known, place / "cat.jpg", **NO_MODEL)
    none = run("match", "--jsonl", "--against", known, place / "cat.jpg", **NO_MODEL)
    both = run("match", "--jsonl", "--against", known, known, place / "gone", **NO_MODEL)

    assert (same.returncode, none.returncode, both.returncode) == (0, 1, 2)
    (hit,) = records(same)[0]["hits"]
    assert (hit["verdict"], hit["region"]) == ("identical_file", [0, 0, 600, 400])
    assert records(none) == [
        {"path": str(place / "cat.jpg"), "verdict": "no_match", "hits": []},
    ]
    gone = records(both)[1]
    assert (gone["verdict"], gone["hits"], gone["error"]) == (None, [], "file.missing")


def test_nothing_known_is_an_error_and_nothing_asked_is_none(place: Path) -> None:
    unknown = run("match", "--against", place / "empty", place / "cat.jpg", **NO_MODEL)
    missing = run("match", "--against", place / "gone", place / "cat.jpg", **NO_MODEL)
    unasked = run("match", "--against", place / "cat.jpg", place / "empty", **NO_MODEL)

    assert (unknown.returncode, missing.returncode, unasked.returncode) == (2, 2, 1)
    assert b"no known picture" in unknown.stderr
    assert b"[file.missing]" in missing.stderr
    assert b"no file to look up" in unasked.stderr


def test_what_cannot_be_opened_is_still_known_by_its_digest(place: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes((place / "cat.jpg").read_bytes()[:4000])
    (tmp_path / "again.jpg").write_bytes((place / "cat.jpg").read_bytes()[:4000])
    (tmp_path / "text").write_text("no")
    done = run(
        "match", "--jsonl", "--against", tmp_path / "cut.jpg", tmp_path / "again.jpg",
        tmp_path / "text", **NO_MODEL,
    )  # fmt: skip

    first, second = records(done)
    assert first["verdict"] == "identical_file"
    assert first["hits"][0]["region"] is None
    assert second["error"] == "media.not_media"
    assert b"[media.broken]" in done.stderr
    assert done.returncode == 2


def test_csv_has_a_row_a_hit_and_the_table_says_it_in_words(place: Path) -> None:
    typed = ["--against", place / "known/coffee.png", place / "known/coffee.png", place / "cat.jpg"]
    rows = list(
        csv.DictReader(io.StringIO(run("match", "--csv", *typed, **NO_MODEL).stdout.decode()))
    )
    table = run("match", *typed, **NO_MODEL).stdout.decode()

    assert [row["verdict"] for row in rows] == ["identical_file", "no_match"]
    assert rows[0]["region"] == "0 0 600 400"
    assert "identical_file" in table
    assert "at 0,0 600x400" in table


@pytest.mark.slow
def test_compare_shows_everything_and_draws_it(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen.png"
    border, known = place / "asked/border.jpg", place / "known/astronaut.png"
    done = run("compare", "--jsonl", border, known, "--picture", out)
    (record,) = records(done)

    assert len(record["a"]["pdq_turns"]) == 8
    assert record["a"]["pdq_turns"][0] == record["a"]["pdq"]
    assert record["b"]["type"] == "image/png"
    assert np.abs(np.subtract(record["alignment"]["region"], (80, 50, 512, 512))).max() <= 3
    with Image.open(out) as picture:  # noqa: TID251 - our own
        assert picture.format == "PNG"
        assert picture.width > 1000
    assert [path.name for path in tmp_path.iterdir()] == ["seen.png"]
    if sscd.available():
        assert (done.returncode, record["verdict"]) == (0, "edited_copy")
        assert record["view_similarity"] > 0.9


def test_compare_of_strangers_is_one_and_of_nothing_two(place: Path, tmp_path: Path) -> None:
    cat, coffee = place / "cat.jpg", place / "known/coffee.png"
    strangers = run("compare", cat, coffee, **NO_MODEL)
    missing = run("compare", cat, place / "gone.jpg", **NO_MODEL)
    nowhere = run("compare", cat, cat, "--picture", tmp_path / "no" / "out.png", **NO_MODEL)

    assert (strangers.returncode, missing.returncode, nowhere.returncode) == (1, 2, 2)
    assert b"no_match" in strangers.stdout
    assert b"none found" in strangers.stdout
    assert b"[file.missing]" in missing.stderr


def test_where_only_the_alignment_speaks_a_person_should_look(place: Path) -> None:
    done = run("compare", place / "asked/crop.jpg", place / "known/astronaut.png", **NO_MODEL)

    assert done.returncode == 1
    assert b"a person should look" in done.stdout


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("hash", "match", "compare"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        assert "exit codes" in capsys.readouterr().out


def test_match_without_known_pictures_names_the_service(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["match", "--port", "8412"])
    assert ended.value.code == 2
    assert "--against" in capsys.readouterr().err
