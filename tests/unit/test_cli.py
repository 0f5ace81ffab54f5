"""The command line: instant help, one-line faults, exit codes that mean something."""

import argparse
import gettext
import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from haechi import cli
from haechi.cli import arguments, audit, people, serving, setup, words
from haechi.errors import KeyMissing, LedgerBroken
from haechi.server.audit import services as audit_services
from haechi.server.config import database

COMMANDS = [
    ["setup"],
    ["public"],
    ["desk"],
    ["match-service"],
    ["match", "--against", "known", "asked"],
    ["hash", "asked"],
    ["compare", "a", "b"],
    ["worker"],
    ["database", "start"],
    ["database", "stop"],
    ["audit", "verify"],
    ["audit", "checkpoint"],
    ["staff", "add", "kim"],
    ["platform", "add", "board", "--base-url", "http://b", "--webhook-url", "http://b/w"],
    ["words", "compile"],
    ["demo"],
]


def _all(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A command and all below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _all(below)


def test_the_help_of_every_command_says_its_exit_codes() -> None:
    """A script needs them, and whoever writes it looks there first."""
    told = {each.prog: " ".join(each.format_help().split()) for each in _all(arguments.parser())}
    assert len(told) > 60
    assert [name for name, text in told.items() if "exit codes" not in text] == []
    assert "0 a record was found, 1 none" in told["haechi trace"]
    assert "1 no model is here" in told["haechi models list"]


@pytest.mark.parametrize("typed", ["", "0xbeef", "1234567890abc", "ids"])
def test_a_trace_id_that_is_none_is_refused(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    start = ["label", "a.png", "--out", "o", "--producer", "p", "--trace-id"]
    assert arguments.parser().parse_args([*start, "beef"]).trace_id == 0xBEEF
    with pytest.raises(SystemExit) as refused:
        arguments.parser().parse_args([*start, typed])
    assert refused.value.code == cli.USAGE
    assert "is not 1 to 12 hexadecimal digits" in capsys.readouterr().err


def run(*typed: str, home: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "haechi.cli", *typed],
        env=clean | {"HAECHI_HOME": str(home)},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("typed", COMMANDS, ids=" ".join)
def test_every_command_names_a_function_that_exists(typed: list[str]) -> None:
    asked = arguments.parser().parse_args(typed)
    module, _, function = asked.run.partition(":")

    assert callable(getattr(importlib.import_module(f"haechi.cli.{module}"), function))


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, contextlib, io, haechi.cli\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    haechi.cli.main(['--help'])\n"
        "print([name for name in ('django', 'cv2', 'numpy', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_fault_of_ours_is_one_line_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_asked: argparse.Namespace) -> int:
        raise KeyMissing("this process holds no signing key")

    monkeypatch.setattr(audit, "checkpoint", refuse)

    assert cli.main(["audit", "checkpoint"]) == cli.OUTSIDE
    assert capsys.readouterr().err == ("haechi: this process holds no signing key [seal.no_key]\n")


def test_a_bug_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_asked: argparse.Namespace) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(audit, "verify", wrong)

    with pytest.raises(ZeroDivisionError):
        cli.main(["audit", "verify"])


def test_verify_names_the_broken_entry_and_exits_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_key: object, **_: object) -> int:
        raise LedgerBroken(17, "was changed")

    monkeypatch.setattr("haechi.cli.installation.enter", lambda: None)
    monkeypatch.setattr(audit_services, "verify", broken)
    monkeypatch.setattr(audit_services, "size", lambda: 17)

    assert cli.main(["audit", "verify"]) == cli.NO
    assert "entry 17: was changed" in capsys.readouterr().out


def test_a_taken_port_is_named_before_anything_is_started() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(OSError, match=f"port {port} .* --port"):
            serving._check_port("127.0.0.1", port)


def test_webhook_secrets_are_written_as_standard_webhooks_does() -> None:
    assert people.webhook_secret_text(b"\xff" * 3) == "whsec_////"


@pytest.fixture
def locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one language in it."""
    folder = tmp_path / "ko" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    monkeypatch.setattr(words, "LOCALE", tmp_path)
    return folder


def _po(translated: str) -> str:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return f'{head}#, python-format\nmsgid "%(n)s files"\nmsgstr "{translated}"\n'


def test_compiled_words_can_be_read(locale: Path) -> None:
    (locale / "django.po").write_text(_po("파일 %(n)s개"), encoding="utf-8")

    assert words.compile_all(quiet=True) == 0
    with (locale / "django.mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("%(n)s files") == "파일 %(n)s개"


def test_a_translation_that_lost_its_placeholder_is_a_fault(
    locale: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (locale / "django.po").write_text(_po("파일 %(m)s개"), encoding="utf-8")

    assert words.compile_all(quiet=True) == 1
    assert "django.po:" in capsys.readouterr().out


@pytest.mark.slow
def test_a_new_installation_from_setup_to_verified_log(tmp_path: Path) -> None:
    """setup, an account, a platform, a checkpoint, verify: the whole of it as typed."""
    home = tmp_path / "h"
    try:
        assert run("setup", "--jurisdictions", "kr,US", home=home).returncode == 0
        assert "HAECHI_JURISDICTIONS=KR,US\n" in (home / "haechi.env").read_text()
        assert run("setup", home=home).returncode == 0
        assert "HAECHI_JURISDICTIONS=KR,US\n" in (home / "haechi.env").read_text()
        added = run("staff", "add", "kim", "--password-stdin", home=home, given="a long phrase 1\n")
        assert "otpauth://totp/Haechi:kim?secret=" in added.stdout
        again = run("staff", "add", "kim", "--password-stdin", home=home, given="a long phrase 1\n")
        assert (again.returncode, "already" in again.stderr) == (3, True)
        weak = run("staff", "add", "lee", "--password-stdin", home=home, given="password\n")
        assert weak.returncode == 3
        assert "haechi/audit" in run("audit", "checkpoint", home=home).stdout
        assert run("audit", "verify", home=home).returncode == 0
    finally:
        assert run("database", "stop", home=home).returncode == 0
    assert not (home / "postgres" / "postmaster.pid").exists()


@pytest.mark.parametrize("typed", [[], ["--jurisdictions", "KR,ZZ"]], ids=["none", "unknown"])
def test_a_new_home_is_not_made_without_known_jurisdictions(
    typed: list[str], tmp_path: Path
) -> None:
    done = run("setup", *typed, home=tmp_path / "h")

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "EU" in done.stderr
    assert "KR" in done.stderr
    assert not (tmp_path / "h").exists()


def test_the_readme_lists_the_jurisdictions_that_are_known() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    assert f"{', '.join(setup.known_codes())}." in readme


def test_a_line_of_the_environment_file_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "haechi.env"
    file.write_text("A=1\nHAECHI_JURISDICTIONS=KR\nB=2\n")

    setup.remember(file, setup.JURISDICTIONS, "US")

    assert file.read_text() == "A=1\nB=2\nHAECHI_JURISDICTIONS=US\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_of_somebody_else_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_asked: argparse.Namespace) -> int:
        raise PermissionError(13, "Permission denied", "/srv/h/haechi.env")

    monkeypatch.setattr(audit, "verify", refuse)

    assert cli.main(["audit", "verify"]) == cli.OUTSIDE
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "/srv/h/haechi.env" in said
    assert "--home" in said


def test_the_database_of_another_user_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres").mkdir()
    monkeypatch.setattr(database.os, "geteuid", lambda: 4_242)

    with pytest.raises(PermissionError, match="another user"):
        database.start_embedded(tmp_path)


def test_lock_and_socket_have_a_folder_of_this_user_alone(tmp_path: Path) -> None:
    assert database._runtime(tmp_path) == tmp_path / "run"
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_without_keys_a_server_says_what_to_do(tmp_path: Path) -> None:
    done = run("public", "--port", "1", home=tmp_path / "empty")

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "haechi setup" in done.stderr


def test_the_public_process_is_never_given_the_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    monkeypatch.setenv("HAECHI_VAULT_IDENTITY_FILE", "/somewhere")
    monkeypatch.setenv("HAECHI_SIGNING_KEY_FILE", "/somewhere")
    monkeypatch.setattr(serving, "_django", lambda *_: seen.update(os.environ) or 0)

    serving.public(argparse.Namespace(host="127.0.0.1", port=1))

    assert "HAECHI_VAULT_IDENTITY_FILE" not in seen
    assert "HAECHI_SIGNING_KEY_FILE" not in seen
