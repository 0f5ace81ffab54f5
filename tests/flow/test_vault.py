"""The vault's keys: guarded, replaced, doubled; every report opens at every instant."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import submit

from haechi import seal
from haechi.cli import main
from haechi.errors import CannotOpen, KeyMissing
from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.appeals.services import Appealable
from haechi.server.audit import services as audit
from haechi.server.config import home as homes
from haechi.server.config.environ import Environment
from haechi.server.evidence import services as evidence
from haechi.server.matching.models import Check, Platform
from haechi.server.reports import rewrapping, vault
from haechi.server.reports import services as reports
from haechi.server.reports.models import Report

pytestmark = pytest.mark.django_db
PHRASE = "correct horse battery staple"


@pytest.fixture
def home(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, which the commands find; this process plays all its others."""
    monkeypatch.setattr("haechi.cli.installation.enter", lambda: None)
    monkeypatch.setenv("HAECHI_HOME", str(tmp_path))
    homes.prepare(tmp_path)
    restart(settings, tmp_path)
    return tmp_path


def restart(settings: Settings, home: Path, **more: str) -> None:
    """What processes read when they start again."""
    told = homes.prepare(home) | homes.for_vault(home) | more
    settings.HAECHI = replace(Environment.read(told), jurisdictions=("KR",))


def identity_file(home: Path) -> Path:
    return home / homes.VAULT_FILE


def passphrase_file(folder: Path, phrase: str = PHRASE) -> Path:
    path = folder / "passphrase"
    path.write_text(f"{phrase}\nnot this line\n", encoding="utf-8")
    return path


def refused_appeal(board: Platform) -> Appeal:
    check = Check.objects.create(
        platform=board, at=NOON, outcome="block", verdict="same_picture", appeal_token="t" * 22
    )
    return appeals.receive(Appealable(check, None), "It is my own picture.", now=NOON)


def test_a_guarded_identity_opens_with_its_passphrase_alone(
    home: Path, settings: Settings, cat: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    report, _code = submit(cat)
    path = passphrase_file(home)

    assert main(["vault", "protect", "--passphrase-file", str(path)]) == 0

    assert PHRASE not in capsys.readouterr().out
    assert seal.guarded(identity_file(home).read_bytes())
    assert identity_file(home).stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyMissing, match="HAECHI_VAULT_PASSPHRASE_FILE"):
        vault.identity_of(report)
    restart(settings, home, HAECHI_VAULT_PASSPHRASE_FILE=str(path))
    assert reports.story_of(report).told == "Somebody posted this."
    path.write_text("another", encoding="utf-8")
    with pytest.raises(KeyMissing, match="passphrase does not open"):
        vault.identity_of(report)


def test_a_systemd_credential_is_found(home: Path, tmp_path: Path) -> None:
    (tmp_path / "haechi-vault-passphrase").write_text(PHRASE, encoding="utf-8")

    told = Environment.read(homes.prepare(home) | {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert told.vault_passphrase_file == tmp_path / "haechi-vault-passphrase"


def test_a_command_may_print_the_identity(
    home: Path, settings: Settings, cat: bytes, tmp_path: Path
) -> None:
    report, _code = submit(cat)
    kept = tmp_path / "kept elsewhere"
    identity_file(home).rename(kept)
    program = f"import sys; sys.stdout.write(open({str(kept)!r}).read())"

    restart(settings, home, HAECHI_VAULT_IDENTITY_COMMAND=f'"{sys.executable}" -c "{program}"')

    assert vault.identity_of(report)


@pytest.mark.parametrize(
    "program", ["import sys; print('secret'); sys.exit(3)", "print('nothing')"]
)
def test_a_command_that_fails_says_so_and_not_what_it_printed(
    home: Path, settings: Settings, cat: bytes, program: str
) -> None:
    report, _code = submit(cat)
    restart(settings, home, HAECHI_VAULT_IDENTITY_COMMAND=f'"{sys.executable}" -c "{program}"')

    with pytest.raises(KeyMissing) as refused:
        vault.identity_of(report)

    assert "secret" not in str(refused.value)


def test_rotation_opens_no_exhibit_and_loses_none(
    home: Path,
    settings: Settings,
    cat: bytes,
    board: Platform,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Interrupted after each report; a report that still comes to the old identity is not lost."""
    taken = [submit(cat)[0] for _ in range(3)]
    appeal = refused_appeal(board)
    old = vault.identities()[0]

    def no_exhibit(*_: object, **__: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(evidence, "open_exhibit", no_exhibit)
    for left in (2, 1, 0):
        with monkeypatch.context() as patched:
            patched.setattr(rewrapping, "rewrap", _interrupted_after(1))
            assert main(["vault", "rotate"]) == (130 if left else 0)
        restart(settings, home)
        assert rewrapping.stale(settings.HAECHI.vault_recipients).count() == left
        assert all(vault.identity_of(Report.objects.get(pk=one.pk)) for one in taken)
    late_with_old_key(settings, old, cat)
    assert main(["vault", "rotate"]) == 0
    restart(settings, home)
    new = vault.identities()
    assert new[1:] == (old,), "one rotation, however often it was interrupted"
    assert main(["vault", "retire"]) == 0
    monkeypatch.undo()

    assert vault_identities_now(settings, home) == new[:1]
    for report in Report.objects.all():
        assert seal.open_sealed(bytes(report.wrap_vault), new[0])
        with pytest.raises(CannotOpen):
            seal.open_sealed(bytes(report.wrap_vault), old)
    appeal.refresh_from_db()
    assert appeals.text_of(appeal) == "It is my own picture."
    assert old in next(home.glob("vault.age-identity.before-*")).read_text(encoding="ascii")
    assert [entry.tag for entry in audit.history(taken[0])][-1] == "report:rewrapped"
    assert old not in capsys.readouterr().out


def test_a_damaged_wrap_stops_no_rotation_and_is_given_up_by_name(
    home: Path, settings: Settings, cat: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others go on; nothing is set aside in silence."""
    taken = [submit(cat)[0] for _ in range(3)]
    lost = taken[1]
    Report.objects.filter(pk=lost.pk).update(wrap_vault=b"damaged")

    assert main(["vault", "rotate"]) == 1
    restart(settings, home)

    assert f"report {lost.short} does not open" in capsys.readouterr().out
    assert rewrapping.stale(settings.HAECHI.vault_recipients).get() == lost
    assert main(["vault", "retire"]) == 1
    assert main(["vault", "retire", "--except", ""]) == 3
    assert main(["vault", "retire", "--except", taken[0].short]) == 1
    assert len(vault.identities()) == 2
    assert main(["vault", "retire", "--except", lost.short]) == 0
    assert len(vault_identities_now(settings, home)) == 1
    assert bytes(Report.objects.get(pk=lost.pk).wrap_vault) == b"damaged"


def _interrupted_after(count: int) -> object:
    real, done = rewrapping.rewrap, iter(range(count))

    def rewrap(*args: object, **named: object) -> None:
        if next(done, None) is None:
            raise KeyboardInterrupt
        real(*args, **named)  # type: ignore[arg-type]  # passed on as they came

    return rewrap


def late_with_old_key(settings: Settings, old: str, cat: bytes) -> None:
    """A public process that was not started again yet takes one more report in."""
    told = settings.HAECHI
    settings.HAECHI = replace(told, vault_recipients=(seal.recipient_of(old),))
    submit(cat)
    settings.HAECHI = told


def vault_identities_now(settings: Settings, home: Path) -> tuple[str, ...]:
    restart(settings, home)
    return vault.identities()


def test_rotation_of_a_guarded_vault_stays_guarded(
    home: Path, settings: Settings, cat: bytes
) -> None:
    report, _code = submit(cat)
    path = str(passphrase_file(home))
    assert main(["vault", "protect", "--passphrase-file", path]) == 0
    restart(settings, home, HAECHI_VAULT_PASSPHRASE_FILE=path)

    assert main(["vault", "rotate"]) == 0

    restart(settings, home, HAECHI_VAULT_PASSPHRASE_FILE=path)
    assert seal.guarded(identity_file(home).read_bytes())
    assert len(vault.identities()) == 2
    report.refresh_from_db()
    assert vault.identity_of(report)


def test_the_second_recipient_opens_a_report_alone(
    home: Path, settings: Settings, cat: bytes, tmp_path: Path, board: Platform
) -> None:
    """Break-glass: reports from before and after, with nothing but age and the second identity."""
    before, _code = submit(cat)
    second = seal.new_identity()
    recipient = seal.recipient_of(second)

    assert main(["vault", "add-recipient", recipient]) == 0
    restart(settings, home)
    assert main(["vault", "status"]) == 0
    after, _code = submit(cat)
    identity_file(home).unlink()

    for report in (before, after):
        report.refresh_from_db()
        own = by_age(bytes(report.wrap_vault), second, tmp_path)
        exhibit = report.exhibits.get()
        with evidence.storage().open(exhibit.blob) as sealed:
            assert by_age(sealed.read(), own.decode(), tmp_path) == cat
    appeal = refused_appeal(board)
    assert by_age(bytes(appeal.sealed), second, tmp_path)


def by_age(data: bytes, identity: str, folder: Path) -> bytes:
    """Opened with the `age` command where there is one, else with the library that is like it."""
    from shutil import which  # noqa: PLC0415

    age = which("age")
    if age is None:
        return seal.open_sealed(data, identity)
    key = folder / "key.txt"
    key.write_text(f"{identity}\n", encoding="ascii")
    done = subprocess.run(  # noqa: S603  # a key file of ours
        [age, "-d", "-i", str(key)], input=data, capture_output=True, check=True
    )
    return done.stdout


def test_a_recipient_is_taken_away_again(
    home: Path, settings: Settings, cat: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    second = seal.new_identity()
    recipient = seal.recipient_of(second)
    assert main(["vault", "add-recipient", recipient]) == 0
    restart(settings, home)
    report, _code = submit(cat)

    assert main(["vault", "remove-recipient", recipient]) == 0
    assert main(["vault", "add-recipient", "age1nonsense"]) == 3

    report.refresh_from_db()
    with pytest.raises(CannotOpen):
        seal.open_sealed(bytes(report.wrap_vault), second)
    assert "seal.error" in capsys.readouterr().err


def test_a_home_without_a_passphrase_says_so(
    home: Path, settings: Settings, cat: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(cat)

    assert main(["vault", "status"]) == 0
    assert "NOT guarded" in capsys.readouterr().out
    Report.objects.update(wrapped_to="")
    assert main(["vault", "status"]) == 1
    identity_file(home).unlink()
    assert main(["vault", "status"]) == 1
    assert "cannot be read" in capsys.readouterr().out


def test_the_public_process_is_refused_every_way_to_the_vault(home: Path) -> None:
    """A stolen public server holds neither the identity, nor its passphrase, nor a way to ask."""
    for name in ("HAECHI_VAULT_IDENTITY_COMMAND", "HAECHI_VAULT_PASSPHRASE_FILE"):
        told = homes.prepare(home) | {
            "HAECHI_SURFACE": "public",
            "HAECHI_DATABASE_URL": "postgresql:///nowhere",
            name: "/some/thing",
        }
        done = subprocess.run(
            [sys.executable, "-c", "import haechi.server.config.settings"],
            env=told | {"PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "must not be given the vault identity" in done.stderr
