"""Who lives in the demo: keys, database, two reviewers, the board as a platform, a host outside."""

import base64
import json
import os
import secrets
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from haechi.demo.ports import HOST, Ports
from haechi.server.config import home as homes
from haechi.server.config import logins
from haechi.server.config.database import start_embedded

# Nobody outside reaches the demo's desk (loopback), so its password may be read by everybody.
PASSWORD = "demo demo demo demo"  # noqa: S105
REVIEWERS = ("rim", "sol")
OUTSIDE_HOST = "photos.example"
OUTSIDE_MAILBOX = "abuse@photos.example"
STATE_FILE = "demo.json"
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Family:
    """Everything a step of the story needs to know.

    environment     of every process; `vault` comes on top for desk and worker alone
    totp            second-factor secrets (base32) by reviewer
    api_key, webhook_secret   of the board
    logins          database address of each process; `database_url` is the owner's
    chapter         0 for the first telling in this home, then 1, 2 ...
    """

    home: Path
    ports: Ports
    database_url: str
    environment: dict[str, str]
    vault: dict[str, str]
    totp: dict[str, str]
    api_key: str
    webhook_secret: bytes
    chapter: int
    logins: dict[str, str] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Address of "public", "desk", "match" or "board"."""
        return self.ports.url(getattr(self.ports, name))

    @property
    def mail(self) -> Path:
        """Where the mail sink keeps what it received."""
        return self.home / "mail"


def prepare(home: Path, ports: Ports) -> Family:
    """Make what is missing, keep what is there. Makes this process one of the server's."""
    inherited = {key: os.environ[key] for key in os.environ if not key.startswith("HAECHI_")}
    keys = homes.prepare(home)
    database_url = start_embedded(home)
    environment = inherited | keys | _settings(home, ports, database_url)
    vault = homes.for_vault(home)
    state = _read_state(home)
    family = Family(
        home=home,
        ports=ports,
        database_url=database_url,
        environment=environment,
        vault=vault,
        totp={},
        api_key=str(state["api_key"]),
        webhook_secret=base64.b64decode(str(state["webhook_secret"])),
        chapter=int(str(state["chapter"])),
    )
    _become(environment | vault)
    people = _people(family)
    return replace(family, totp=people, logins=logins.prepare(home, database_url))


def turn_the_page(family: Family) -> None:
    """Remember that this chapter was begun, so that the next start takes the next one."""
    state = _read_state(family.home)
    _write_state(family.home, state | {"chapter": family.chapter + 1})


def _settings(home: Path, ports: Ports, database_url: str) -> dict[str, str]:
    return {
        "HAECHI_HOME": str(home),
        "HAECHI_DATABASE_URL": database_url,
        "HAECHI_PUBLIC_URL": ports.url(ports.public),
        "HAECHI_DESK_URL": ports.url(ports.desk),
        "HAECHI_MATCH_URL": ports.url(ports.match),
        "HAECHI_SMTP_HOST": HOST,
        "HAECHI_SMTP_PORT": str(ports.mail),
        "HAECHI_MAIL_FROM": "notices@haechi.example",
        "HAECHI_ORGANISATION": "Haechi demo",
        "HAECHI_JURISDICTIONS": "KR,US,UK,EU",
        "PYTHONUNBUFFERED": "1",
    }


def _become(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    os.environ["HAECHI_SURFACE"] = "worker"
    os.environ["DJANGO_SETTINGS_MODULE"] = "haechi.server.config.settings"
    # Loaded here: Django reads the environment that was made just now.
    import django  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def _people(family: Family) -> dict[str, str]:
    from django.db import connections  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from haechi.server.matching import api_keys  # noqa: PLC0415
    from haechi.server.matching import services as matching  # noqa: PLC0415
    from haechi.server.notices.models import Receiver  # noqa: PLC0415
    from haechi.server.staff import services as staff  # noqa: PLC0415
    from haechi.server.staff.models import Role, User  # noqa: PLC0415

    totp = {}
    for name in REVIEWERS:
        known = User.objects.filter(username=name).first()
        totp[name] = (
            staff.totp_of(known).secret
            if known
            else staff.add(
                name, name.title(), Role.REVIEWER, PASSWORD, actor="demo", now=timezone.now()
            )[1]
        )
    board = matching.register_platform(
        "board",
        family.url("board"),
        f"{family.url('board')}/haechi/webhook",
        webhook_secret=family.webhook_secret,
    )
    if not api_keys.known(family.api_key):
        api_keys.add(
            board,
            family.api_key,
            name="first",
            scopes=api_keys.FIRST_SCOPES,
            expires_at=None,
            actor="demo",
            now=timezone.now(),
        )
    Receiver.objects.update_or_create(
        host=OUTSIDE_HOST,
        defaults={"name": "Photos, Example", "email": OUTSIDE_MAILBOX, "source": "the demo"},
    )
    connections.close_all()
    return totp


def _read_state(home: Path) -> dict[str, object]:
    file = home / STATE_FILE
    if not file.exists():
        _write_state(
            home,
            {
                "api_key": f"haechi_{secrets.token_urlsafe(32)}",
                "webhook_secret": base64.b64encode(secrets.token_bytes(32)).decode(),
                "chapter": 0,
            },
        )
    known: dict[str, object] = json.loads(file.read_text(encoding="utf-8"))
    return known


def _write_state(home: Path, state: dict[str, object]) -> None:
    part = home / f"{STATE_FILE}.part"
    part.touch(mode=0o600)
    part.write_text(json.dumps(state, indent=1), encoding="utf-8")
    part.replace(home / STATE_FILE)


def commands(family: Family) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Every process of the house: its command line and its environment."""
    haechi = [sys.executable, "-m", "haechi.cli"]
    ports, base = family.ports, family.environment
    whole = base | family.vault
    board = base | {
        "BOARD_HOME": str(family.home / "board"),
        "BOARD_URL": family.url("board"),
        "HAECHI_MATCH_KEY": family.api_key,
        "HAECHI_WEBHOOK_SECRET": f"whsec_{base64.b64encode(family.webhook_secret).decode()}",
    }
    # The board is a stranger: of Haechi's keys it gets none but its own.
    board = {key: value for key, value in board.items() if key not in _SECRETS}
    granian = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws"]
    granian += ["--log-level", "warning", "--port", str(ports.board)]
    sink = [sys.executable, "-m", "haechi.demo.sink", str(ports.mail), str(family.mail)]
    return {
        name: (command, _logged_in(family, name, environment))
        for name, (command, environment) in {
            "mail": (sink, {key: value for key, value in base.items() if key not in _SECRETS}),
            "match": ([*haechi, "match-service", "--port", str(ports.match)], base),
            "board": ([*granian, "examples.board.asgi:app"], board),
            "public": ([*haechi, "public", "--port", str(ports.public)], base),
            "desk": ([*haechi, "desk", "--port", str(ports.desk)], whole),
            "worker": ([*haechi, "worker"], whole),
        }.items()
    }


def _logged_in(family: Family, name: str, environment: dict[str, str]) -> dict[str, str]:
    """`environment` with the process's own way into the database, where it has one."""
    own = family.logins.get(name)
    return environment | {"HAECHI_DATABASE_URL": own} if own else environment


_SECRETS = frozenset(
    {
        "HAECHI_SECRET_KEY",
        "HAECHI_PEPPER_LOOKUP",
        "HAECHI_PEPPER_UNLOCK",
        "HAECHI_DIGEST_KEY",
        "HAECHI_WATERMARK_KEY",
        "HAECHI_DATABASE_URL",
    }
)
