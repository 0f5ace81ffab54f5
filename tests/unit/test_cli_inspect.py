"""`haechi inspect`: one answer a file, for people and for programs, with grep's exit codes."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.unit import marked
from tests.unit.pictures_on_disk import records, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A marked picture, a plain one and a sound."""
    made = tmp_path_factory.mktemp("inspect")
    (made / "a.jpg").write_bytes(marked.contradicting())
    (made / "b.png").write_bytes(marked.saved(marked.picture(), "PNG"))
    (made / "c.mp3").write_bytes(marked.CARRIERS["mp3 id3v2.3"]())
    return made


def test_programs_get_marks_findings_and_the_words_for_them(folder: Path) -> None:
    done = run("inspect", "--json", "--marks", folder)
    first, second, third = records(done)

    assert done.returncode == 0
    assert [mark["kind"] for mark in first["marks"]] == ["aigc", "generator", "exif"]
    assert first["headline"] == "contradicting"
    assert {finding["code"] for finding in first["findings"]} == {
        "aigc.missing",
        "contradiction.camera",
    }
    assert "Canon EOS R5" in first["findings"][-1]["words"]
    assert (second["headline"], second["marks"]) == ("nothing", [])
    assert third["type"] == "audio/mpeg"
    assert all("report" not in record for record in (first, second, third))


def test_a_model_that_is_not_here_is_refused_with_those_that_are(
    folder: Path, tmp_path: Path
) -> None:
    done = run("inspect", "--home", tmp_path, "--models", "nope", folder / "b.png")

    assert done.returncode == 2
    told = done.stderr.decode()
    assert "nope" in told
    assert "here are: none" in told
    assert "haechi models add FILE --card CARD" in told


def test_people_get_sentences(folder: Path) -> None:
    done = run("inspect", "--marks", folder / "a.jpg")

    told = done.stdout.decode()
    assert "contradict each other" in told
    assert "Chinese AI label (GB 45438): made by AI (001191110102MAD55U9H0F10002)" in told
    assert "What was asked for: a lighthouse at dusk" in told


def test_csv_has_a_line_for_each_mark_and_finding(folder: Path) -> None:
    done = run("inspect", "--csv", "--marks", folder)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))

    assert [row["kind"] or row["finding"] for row in rows] == [
        "aigc",
        "generator",
        "exif",
        "aigc.missing",
        "contradiction.camera",
        "",
        "aigc",
    ]
    assert json.loads(rows[1]["details"])["prompt"] == "a lighthouse at dusk"
    assert rows[0]["words"].startswith("Chinese AI label (GB 45438): made by AI")
    assert json.loads(rows[4]["details"])["taken_by"] == "Canon EOS R5"
    assert (rows[5]["details"], rows[0]["trace_id"], rows[0]["detail"]) == ("", "", "")


def test_without_marks_the_answer_is_no(folder: Path, tmp_path: Path) -> None:
    """As grep's; a file that cannot be read is an error, and costs its own answer only."""
    notes = tmp_path / "notes.txt"
    notes.write_text("no media")

    assert run("inspect", "--marks", folder / "b.png").returncode == 1
    done = run("inspect", "--json", "--marks", notes, folder / "b.png")
    assert done.returncode == 2
    assert [record.get("error") for record in records(done)] == ["media.not_media", None]


@pytest.mark.slow
def test_the_report_of_an_examination_stands_beside(folder: Path) -> None:
    done = run("inspect", "--json", folder / "a.jpg", folder / "c.mp3")
    picture, sound = records(done)

    assert picture["report"]["answer"] in {"made_by_ai", "inconclusive", "altered", "no_sign_found"}
    assert any("closed, delayed" in line for line in picture["report_words"])
    assert "report" not in sound


def test_anchors_that_are_no_text_are_told_in_one_line(folder: Path) -> None:
    done = run("inspect", "--marks", "--anchors", folder / "b.png", folder / "a.jpg")

    assert done.returncode == 2
    assert done.stderr.decode().startswith("haechi: a file that must be text")
