"""`haechi hash`: one answer a file whatever the file is, and a command line that can be piped."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage import data
from tests.unit.pictures_on_disk import file_bytes, records, run

from haechi.cli import files, hashing, printing, progress
from haechi.cli.workshop import LIMITS, Workshop
from haechi.fingerprint import hashes, pdq
from haechi.media import DEFAULT, decode

KEYS = ["path", "type", "sha256", "md5", "pdq", "pdq_quality"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good and bad files, one of them below."""
    made = tmp_path_factory.mktemp("hash")
    (made / "a cat.jpg").write_bytes(file_bytes(data.cat()))
    (made / "below").mkdir()
    (made / "below" / "coffee").write_bytes(file_bytes(data.coffee(), "PNG"))
    (made / "broken.jpg").write_bytes(file_bytes(data.cat())[:4000])
    (made / "flat.png").write_bytes(file_bytes(np.full((90, 90, 3), 9, np.uint8), "PNG"))
    (made / "notes.txt").write_text("no picture")
    (made / "sliver.png").write_bytes(file_bytes(np.full((3, 90, 3), 9, np.uint8), "PNG"))
    return made


def test_every_file_gets_its_object(folder: Path) -> None:
    done = run("hash", "--jsonl", folder)
    by_name = {Path(record["path"]).name: record for record in records(done)}

    assert done.returncode == 2
    assert list(by_name) == [
        "a cat.jpg",
        "coffee",
        "broken.jpg",
        "flat.png",
        "notes.txt",
        "sliver.png",
    ]
    content = (folder / "a cat.jpg").read_bytes()
    expected = hashes(content).pdq
    assert expected is not None
    of_pixels = pdq.compute(decode(content).rgb)
    apart = int.from_bytes(expected.bits) ^ int.from_bytes(of_pixels.bits)
    assert apart.bit_count() <= 4
    assert by_name["a cat.jpg"] == {
        "path": str(folder / "a cat.jpg"),
        "type": "image/jpeg",
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content).hexdigest(),  # noqa: S324 - for lists that know no better
        "pdq": expected.hex,
        "pdq_quality": expected.quality,
    }
    assert by_name["coffee"]["type"] == "image/png"
    assert by_name["broken.jpg"]["error"] == "media.broken"
    assert by_name["broken.jpg"]["type"] == "image/jpeg"
    notes = by_name["notes.txt"]
    assert (notes["error"], notes["type"], notes["pdq"]) == ("media.not_media", None, None)
    assert notes["sha256"] == hashlib.sha256(b"no picture").hexdigest()
    assert len(by_name["flat.png"]["pdq"]) == 64
    assert by_name["flat.png"]["pdq_quality"] < 50
    assert [by_name["sliver.png"][key] for key in ("pdq", "pdq_quality")] == [None, None]
    assert "error" not in by_name["sliver.png"]
    assert all(list(record)[:6] == KEYS for record in by_name.values())


def test_files_patterns_and_standard_input(folder: Path) -> None:
    listed = f"{folder}/flat.png\r\n\n{folder}/below".encode()
    done = run("hash", "--jsonl", "*cat.jpg", "-", "below/../flat.png", given=listed, cwd=folder)

    assert done.returncode == 0, done.stderr
    paths = [record["path"] for record in records(done)]
    assert paths == [
        "a cat.jpg",
        f"{folder}/flat.png",
        f"{folder}/below/coffee",
        "below/../flat.png",
    ]


def test_what_is_missing_is_said_and_the_rest_is_done(folder: Path) -> None:
    done = run("hash", "--jsonl", "gone.jpg", "no*such", "flat.png", "/dev/zero", cwd=folder)
    errors = [record.get("error") for record in records(done)]

    assert errors == ["file.missing", "file.missing", None, "file.unreadable"]
    assert records(done)[0]["sha256"] is None
    assert done.returncode == 2


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    done = run("hash", "--jsonl", tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"haechi: there is no file to hash\n"


def test_csv_and_table_have_the_same_answers(folder: Path) -> None:
    jsonl = records(run("hash", "--jsonl", folder / "below"))[0]
    (row,) = csv.DictReader(io.StringIO(run("hash", "--csv", folder / "below").stdout.decode()))
    table = run("hash", folder / "below").stdout.decode()

    assert {key: row[key] for key in KEYS} == {key: str(jsonl[key]) for key in KEYS}
    assert jsonl["pdq"] in table
    assert jsonl["path"] in table


def test_names_that_are_no_text_come_out_whole_and_steer_no_terminal(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/x\xff\x1b[2J.png"
    Path(os.fsdecode(name)).write_bytes(file_bytes(data.cat(), "PNG"))

    assert os.fsencode(records(run("hash", "--jsonl", tmp_path))[0]["path"]) == name
    assert name in run("hash", "--csv", tmp_path).stdout
    assert b"\x1b" not in run("hash", tmp_path).stdout


def test_a_reader_that_leaves_is_no_fault(folder: Path) -> None:
    typed = [sys.executable, "-m", "haechi.cli", "hash", "--jsonl", *[str(folder)] * 200]
    with subprocess.Popen(typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:  # noqa: S603
        assert running.stdout is not None
        assert running.stderr is not None
        json.loads(running.stdout.readline())
        running.stdout.close()
        assert running.wait(60) == printing.READER_GONE
        assert running.stderr.read() == b""


def test_an_interrupt_keeps_what_is_done(folder: Path) -> None:
    """The list never ends: answers come while it is open, and Ctrl-C ends it at once."""
    typed = [sys.executable, "-m", "haechi.cli", "hash", "--jsonl", "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # A shell ignores Ctrl-C for what it runs in the background, and that would be inherited.
    heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(typed, **pipes, **heed) as running:  # type: ignore[call-overload]  # noqa: S603
        running.stdin.write(f"{folder}/flat.png\n".encode())
        running.stdin.flush()
        first = json.loads(running.stdout.readline())
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130
        assert first["pdq"]
        assert running.stdout.read() == b""
        assert running.stderr.read() == b""


def test_questions_are_not_asked_long_before_their_answers() -> None:
    """A list of any length takes the same memory."""
    asked: list[int] = []
    with Workshop() as shop:
        answers = shop.each(lambda number: number, (asked.append(n) or n for n in range(10_000)))
        got = [next(answers) for _ in range(100)]
        assert len(asked) < 200
        got += list(answers)
    assert got == list(range(10_000))


def test_a_fault_of_the_list_is_raised_after_the_answers_before_it() -> None:
    def questions() -> "object":
        yield 1
        raise OSError("the list broke")

    with Workshop() as shop:
        answers = shop.each(lambda number: number, questions())  # type: ignore[arg-type]
        assert next(answers) == 1
        with pytest.raises(OSError, match="the list broke"):
            next(answers)


def test_links_to_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "f").touch()
    (tmp_path / "one" / "round").symlink_to(tmp_path)
    (tmp_path / "one" / "g").symlink_to(tmp_path / "one" / "f")

    assert [Path(path).name for path in files.walk([str(tmp_path)])] == ["f", "g"]


def test_a_file_that_is_too_long_has_its_digests(tmp_path: Path) -> None:
    long = file_bytes(data.cat(), "PNG")
    (tmp_path / "long.png").write_bytes(long)
    with Workshop(limits=replace(LIMITS, bytes=1000)) as shop:
        record = hashing._record(str(tmp_path / "long.png"), shop)

    assert record["error"] == "media.too_many_bytes"
    assert record["type"] == "image/png"
    assert record["sha256"] == hashlib.sha256(long).hexdigest()


class Terminal(io.StringIO):
    """Somebody is looking."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_the_bar_says_rate_and_time_left() -> None:
    told = progress.line("hash", 250, 1000, 10.0)
    assert told == f"hash  [{'#' * 6}{'.' * 18}]  250 of 1,000  25/s  0:30 left"
    assert progress.line("hash", 3, None, 2.0) == "hash  3 files  1.5/s"
    assert "2:46:39 left" in progress.line("x", 1, 10_000, 1.0)


def test_the_bar_is_for_terminals_only() -> None:
    shown, silent = Terminal(), io.StringIO()
    for out in (shown, silent):
        with progress.Progress("hash", lambda: range(3), out) as bar:
            bar.step()
            bar.step()
    assert "hash" in shown.getvalue()
    assert shown.getvalue().endswith("\r\x1b[K")
    assert silent.getvalue() == ""


def test_links_that_lead_nowhere_cost_no_other_answer(tmp_path: Path) -> None:
    for name in ("a", "z"):
        (tmp_path / name).write_text("a")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")

    assert [Path(path).name for path in files.walk([str(tmp_path)])] == ["a", "z"]


def test_folders_deeper_than_any_recursion(tmp_path: Path) -> None:
    root, deep = os.open(tmp_path, os.O_RDONLY), 1_500
    at = root
    for _ in range(deep):
        os.mkdir("a", dir_fd=at)
        below = os.open("a", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)

    assert list(files.walk([str(tmp_path)])) == [f"{tmp_path}/{'a/' * deep}f"]
    subprocess.run(["rm", "-r", "--", tmp_path / "a"], check=True)  # noqa: S603, S607 - pytest recurses


def test_an_interrupt_ends_the_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "haechi.cli", "hash", "--jsonl", "-", tmp_path / "pipe"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    assert running.stdin is not None
    assert running.stdout is not None
    with running.stdin as listed:
        listed.write(f"{tmp_path}/nothing\n".encode())
    assert running.stdout.readline(), "it is past the list, and waits for the pipe"
    running.send_signal(signal.SIGINT)
    try:
        assert running.wait(20) == 130
    finally:
        running.kill()
        running.stdout.close()


def test_a_pipe_that_is_written_late_is_read_whole(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    content = file_bytes(data.cat())
    threading.Timer(0.3, (tmp_path / "pipe").write_bytes, [content]).start()
    found = files.read(str(tmp_path / "pipe"), DEFAULT, threading.Event())
    assert isinstance(found, files.File)
    assert found.data == content


@pytest.mark.parametrize(
    ("closed", "code", "lines"), [(">&-", 2, 0), ("2>&-", 0, 1), ("<&-", 0, 1)]
)
def test_closed_streams(folder: Path, closed: str, code: int, lines: int) -> None:
    """An error on the way must neither be an answer nor go where answers go."""
    command = f'exec "$0" -m haechi.cli hash --jsonl "$1" {closed}'
    done = subprocess.run(  # noqa: S603
        ["sh", "-c", command, sys.executable, folder / "a cat.jpg"],  # noqa: S607
        capture_output=True,
        check=False,
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (code, lines)
    assert b"Traceback" not in done.stderr
