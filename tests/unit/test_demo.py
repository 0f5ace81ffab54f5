"""The demo's own parts: ground, household, supervisor's manners, pictures, sink, telling."""

import asyncio
import io
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from aiosmtpd.smtp import Envelope

from haechi import media
from haechi.demo import (
    bad_input,
    farewell,
    ground,
    household,
    pictures,
    processes,
    proof,
    sink,
    story,
)
from haechi.demo.ground import GroundUnfit
from haechi.demo.household import Family
from haechi.demo.ports import Ports
from haechi.demo.telling import NotAsTold, Teller, expect, expect_in
from haechi.demo.visitor import Visitor
from haechi.errors import TooManyPixels

FORM = """<form action="/language/"><input type="hidden" name="next" value="/report"></form>
<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="a&amp;b">
<input type="hidden" name="submission" value="42"><input type="text" name="told" value="x"></form>"""


@pytest.fixture
def family(tmp_path: Path) -> Family:
    """A household on paper; nothing runs."""
    keys = dict.fromkeys(household._SECRETS, "secret") | {"HAECHI_MATCH_URL": "http://m"}
    return Family(
        home=tmp_path,
        ports=Ports.from_base(8410),
        database_url="postgresql:///x",
        environment=keys,
        vault={"HAECHI_VAULT_IDENTITY_FILE": "v", "HAECHI_SIGNING_KEY_FILE": "s"},
        totp={},
        api_key="key",
        webhook_secret=b"s" * 32,
        chapter=0,
    )


def test_only_desk_and_worker_are_given_the_vault(family: Family) -> None:
    given = {
        name
        for name, (_, environment) in household.commands(family).items()
        if "HAECHI_VAULT_IDENTITY_FILE" in environment
    }

    assert given == {"desk", "worker"}


def test_board_and_sink_are_strangers_to_our_keys(family: Family) -> None:
    commands = household.commands(family)

    for stranger in ("board", "mail"):
        assert not household._SECRETS & commands[stranger][1].keys()


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(GroundUnfit, match=f"port {port} for the public site .* --ports"):
            ground.check(tmp_path, Ports.from_base(port))


def test_too_little_disk_is_said_with_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground, "NEEDED_BYTES", 10**18)

    with pytest.raises(GroundUnfit, match="MB free"):
        ground.check(tmp_path, Ports.from_base(8410))


def test_a_home_is_held_by_one_demo_at_a_time(tmp_path: Path) -> None:
    with (
        ground.alone_in(tmp_path),
        pytest.raises(GroundUnfit, match=r"runs in .* already"),
        ground.alone_in(tmp_path),
    ):
        pytest.fail("two demos in one home")
    with ground.alone_in(tmp_path):
        """The mark is free again."""


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(GroundUnfit, match="choose another folder"),
        ground.alone_in(tmp_path / "file" / "home"),
    ):
        pytest.fail("a folder below a file")


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo.json").write_text("{}")
    monkeypatch.setattr(ground.os, "access", lambda path, _: Path(path).name != "demo.json")

    with pytest.raises(GroundUnfit, match=r"demo\.json .* --home"):
        ground.check(tmp_path, Ports.from_base(8410))


def test_a_child_is_registered_unblocked_and_ends_with_its_parent(tmp_path: Path) -> None:
    """Even a supervisor that is killed leaves nothing behind."""
    (tmp_path / "logs").mkdir()
    script = (
        "import os, sys, time; from pathlib import Path; from haechi.demo.processes import Crew\n"
        f"crew = Crew(Path({str(tmp_path)!r}))\n"
        "crew._launch('one', [sys.executable, '-c', 'import signal, time\\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)\\ntime.sleep(60)'],"
        " dict(os.environ))\n"
        "print(crew._running['one'].pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        log = tmp_path / "logs" / "one.log"
        _until(lambda: log.read_text() != "")
        parent.kill()
    assert log.read_text() == "set()\n"
    _until(lambda: child not in {pid for pid, _, _ in processes._table()})


def _until(so: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not so():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_reset_deletes_what_a_demo_made_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haechi.demo.processes.database", lambda *_: None)
    for name in ("logs", "mail"):
        (tmp_path / name).mkdir()
    (tmp_path / ground.MARK).write_text("")
    (tmp_path / "thesis.odt").write_text("years of work")

    with pytest.raises(GroundUnfit, match=r"thesis\.odt"):
        ground.wipe(tmp_path)
    assert (tmp_path / "logs").exists()

    (tmp_path / "thesis.odt").unlink()
    ground.wipe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [ground.MARK]


@pytest.mark.parametrize(
    "name", [*pictures.CHAPTERS, *pictures.SPARE, pictures.UNRELATED, pictures.LEFT]
)
def test_every_photograph_is_on_this_machine(name: str) -> None:
    height, width, channels = pictures.photograph(name).shape

    assert min(height, width) >= 300
    assert channels == 3


def test_edits_are_what_they_are_called() -> None:
    image = pictures.photograph(pictures.CHAPTERS[0])
    made = {
        name: media.decode(make(image)).rgb[:, :, ::-1] for name, make in pictures.EDITS.items()
    }

    assert made["scaled to 50 %"].shape == (256, 256, 3)
    assert made["10 % cropped"].shape == (462, 462, 3)
    assert _apart(made["mirrored"][:, ::-1], image) < 3
    assert _apart(made["mirrored"], image) > 20
    assert len(pictures.EDITS["recompressed, quality 30"](image)) < len(pictures.jpeg(image)) / 2
    assert made["chat screenshot"].shape == (1600, 900, 3)


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean(cv2.absdiff(np.ascontiguousarray(one), other)))


def test_the_bomb_is_small_outside_and_large_inside() -> None:
    data = bad_input.bomb()

    assert len(data) < 1_000_000
    assert struct.unpack(">II", data[16:24]) == (40_000, 40_000)
    with pytest.raises(TooManyPixels):
        media.decode(data)


def test_the_sink_keeps_a_message_before_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "000007.eml").write_bytes(b"from an earlier start")
    envelope = Envelope()
    envelope.content = b"Subject: hello\r\n\r\n."

    answer = asyncio.run(sink.Keeper(tmp_path).handle_DATA(None, None, envelope))  # type: ignore[arg-type]

    assert answer == "250 2.0.0 kept as 000008.eml"
    assert (tmp_path / "000008.eml").read_bytes() == envelope.content


def test_a_visitor_fills_in_the_form_that_was_seen() -> None:
    with Visitor("http://127.0.0.1:9", "ko") as visitor:
        visitor.page = FORM

        assert visitor.hidden("/report") == {"csrfmiddlewaretoken": "a&b", "submission": "42"}
        assert visitor.hidden("/language/") == {"next": "/report"}


def test_the_farewell_names_the_case_that_is_left_and_whose_tokens_are_whose(
    family: Family,
) -> None:
    out = io.StringIO()
    told = SimpleNamespace(left_case_id=7, left_code="123 456")
    farewell.say(Teller(out), replace(family, totp={"rim": "A" * 32}), told)  # type: ignore[arg-type]  # what it reads of a tale

    assert "http://127.0.0.1:8411/case/7" in out.getvalue()
    assert "123 456" in out.getvalue()
    assert f"haechi.demo.farewell rim={'A' * 32}" in out.getvalue()
    assert re.match(r"rim \d{6}  \(for \d+ s\)", farewell.tokens([f"rim={'A' * 32}"]))


def test_the_code_is_read_as_a_person_would() -> None:
    code = "123 456 789 012 345 678 901 234 567"

    assert story.code_on(f"숫자로: {code} 입니다") == code
    with pytest.raises(NotAsTold):
        story.code_on("123 456")


def test_a_notice_for_somebody_else_is_not_as_told() -> None:
    message = EmailMessage()
    message["To"] = "abuse@elsewhere.example"
    message.set_content("hello")

    with pytest.raises(NotAsTold, match="receiver"):
        proof.check_notice(bytes(message))


def test_expectations_fail_with_both_sides() -> None:
    expect("same", expected=1, seen=1)
    with pytest.raises(NotAsTold, match="mails: expected 1, saw 2"):
        expect("mails", expected=1, seen=2)
    with pytest.raises(NotAsTold, match="page"):
        expect_in("page", "b", "a")


def test_columns_stand_under_each_other_in_korean_too() -> None:
    out = io.StringIO()
    Teller(out).table(("가나", "b"), [("x", "1"), ("가나다", "2")])

    assert out.getvalue().splitlines() == [
        "   가나    b",
        "   ------  -",
        "   x       1",
        "   가나다  2",
    ]


def test_a_page_in_another_language_is_not_korean() -> None:
    proof.expect_korean("page", "신고" * 60)
    with pytest.raises(NotAsTold, match="Korean syllables"):
        proof.expect_korean("page", "한국어 中文 English. We have your report.")


def test_a_public_number_is_the_one_after_its_name() -> None:
    proof.stands("Reports received Every report, once. 12 Copies removed 3", "Copies removed", 3)
    with pytest.raises(NotAsTold):
        proof.stands("Reports received 12 Copies removed 3", "Reports received", 3)
