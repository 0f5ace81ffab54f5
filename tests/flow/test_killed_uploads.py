"""B14: a public process that is killed at any instant loses nothing that it acknowledged.

A real `haechi public` is killed (SIGKILL, with all its threads) at seeded random instants while a
page uploads and reports, and started again. The gate's run kills it a few times;
HAECHI_KILLS=50 does so fifty times, in about as many seconds as a machine needs for fifty starts.
"""

import hashlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from psycopg.conninfo import conninfo_to_dict
from pytest_django.fixtures import Settings
from tests.flow.envelopes import envelope

from haechi import seal
from haechi.errors import UploadUnknown
from haechi.media import Kind
from haechi.server.config import roles
from haechi.server.evidence import services as evidence
from haechi.server.evidence import uploads
from haechi.server.evidence.models import Exhibit, Upload
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.way import Way
from haechi.server.public import page_token
from haechi.server.reports import visits
from haechi.server.reports.models import Location, Report, Visit

KILLS = int(os.environ.get("HAECHI_KILLS", "3"))
PATIENCE_S = 90
PIECE = 64 * 1024
BROKEN = (httpx.HTTPError, ConnectionError)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 60 * KILLS)]


@pytest.fixture(autouse=True)
def _quick() -> None:
    """Another process makes the codes that are read here: both take their time."""


@pytest.fixture
def rows(committed: None) -> Iterator[None]:
    """What other processes commit here is gone afterwards."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for model in (Upload, Exhibit, Location, Visit, Report):
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
        cursor.execute("RESET session_replication_role")


class Site:
    """The public process on a port, killed and started again."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        name = connection.settings_dict["NAME"]
        told = conninfo_to_dict(os.environ["HAECHI_DATABASE_URL"]) | {"dbname": name}
        where = "&".join(f"{key}={told[key]}" for key in ("host", "port") if key in told)
        self._environment = os.environ | {
            "HAECHI_HOME": str(home),
            # The process refuses to start with more rights than its own role has.
            "HAECHI_DATABASE_URL": f"postgresql://{roles.role_of('public')}@/{name}?{where}",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "haechi.cli", "public", "--port", str(self.port)]
        self._process = subprocess.Popen(  # noqa: S603  # our own command
            command, env=self._environment, start_new_session=True
        )
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with suppress(*BROKEN):
                if httpx.get(f"{self.url}/help", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        pytest.fail("the public process does not answer")

    def kill(self) -> None:
        """SIGKILL for the whole group, in the middle of whatever it does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@dataclass
class Visitor:
    """One page at a time: uploads in pieces, then the report; goes on after every break.

    acknowledged  of the upload under way, what the site said is on its disk
    receipts      words of each code that was shown, with the file it was shown for
    """

    site: Site
    chance: random.Random
    receipts: list[tuple[str, bytes]] = field(default_factory=list)
    acknowledged: int = 0
    pages: int = 0
    _client: httpx.Client | None = None
    _data: bytes = b""
    _form: dict[str, str] = field(default_factory=dict)
    _sealed: bytes = b""
    _upload: str = ""
    _open: bool = False

    def go_on(self) -> None:
        """Until the connection breaks."""
        while True:
            if self._client is None:
                self._new_page()
            if not self._open and self._upload == "":
                self._upload = self._ask("POST", "", length=len(self._sealed))["upload"]
            if not self._open:
                self._send()
            self._report()

    def held(self) -> int | None:
        """What the site says it has of the upload under way, after a break; None without one."""
        if self._upload == "" or self._client is None:
            return None
        try:
            received: int = self._ask("GET", f"/{self._upload}")["received"]
        except Taken:
            return None
        # Not the only row: of a beginning whose answer was lost, the page knows nothing.
        row = Upload.objects.get(id_digest=uploads._id_digest(self._upload))
        part = uploads._parts().path(row.blob)
        if received and part.exists():
            assert part.read_bytes()[:received] == self._sealed[:received]
        return received

    def _new_page(self) -> None:
        client = httpx.Client(base_url=self.site.url, timeout=PATIENCE_S)
        page = client.get("/report").text
        self._form = {
            name: str(re.search(rf'name="{name}" value="([^"]+)"', page)[1])  # type: ignore[index]
            for name in ("csrfmiddlewaretoken", "submission")
        }
        self.pages += 1
        self._open = self.pages % 3 == 0
        self._data = b"\xff\xd8\xff" + self.chance.randbytes(300_000)
        self._identity = seal.new_identity()
        self._sealed = envelope(self._data, seal.recipient_of(self._identity))
        self._upload, self.acknowledged, self._client = "", 0, client

    def _send(self) -> None:
        at = self._ask("GET", f"/{self._upload}")["received"]
        while at < len(self._sealed):
            piece = self._sealed[at : at + PIECE]
            at = self._ask("PUT", f"/{self._upload}", piece, offset=at)["received"]
            self.acknowledged = at
        self._ask("POST", f"/{self._upload}")

    def _report(self) -> None:
        assert self._client is not None
        fields = {**self._form, "location": "https://board.example/1"}
        told = {
            "id": self._upload,
            "name": "a.jpg",
            "sha256": hashlib.sha256(self._data).hexdigest(),
            "kind": "jpeg",
        }
        if self._open:
            answer = self._client.post(
                "/report", data=fields, files={"files": ("a.jpg", self._data, "image/jpeg")}
            )
        else:
            fields |= {"sealed": json.dumps([told]), "identity": self._identity}
            answer = self._client.post("/report", data=fields)
        assert answer.status_code == 200, answer.text[-2000:]
        words = re.search(r"data-code-words[^>]*>(.*?)</ol>", answer.text, re.DOTALL)
        assert words is not None
        self.receipts.append((" ".join(re.findall(r"<li>(.*?)</li>", words[1])), self._data))
        self._client.close()
        self._client = None

    def _ask(self, method: str, path: str, body: bytes = b"", **numbers: int) -> dict[str, object]:
        assert self._client is not None
        headers = {f"Upload-{name.title()}": str(value) for name, value in numbers.items()}
        headers |= {
            "Upload-Page": self._form["submission"],
            "X-CSRFToken": self._form["csrfmiddlewaretoken"],
            "Content-Type": "application/octet-stream",
        }
        path = f"/report/upload{path}"
        told: dict[str, object] = {"code": "upload.busy"}
        # The request before died with the process, and PostgreSQL has not noticed yet.
        while told.get("code") == "upload.busy":
            answer = self._client.request(method, path, content=body, headers=headers)
            told = answer.json()
        if told.get("code") == "upload.unknown":
            raise Taken
        assert answer.status_code < 300, answer.text
        return dict(told)


class Taken(Exception):
    """The upload became an exhibit; its receipt may have been lost on the way."""


def test_b14_killed_at_random_instants_nothing_acknowledged_is_lost(
    rows: None, settings: Settings, tmp_path: Path
) -> None:
    """Every receipt opens with its code, once; every piece that was acknowledged is there."""
    settings.BLOBS = tmp_path / "blobs"
    chance = random.Random(14)  # noqa: S311  # not a secret
    site = Site(tmp_path)
    visitor = Visitor(site, chance)
    try:
        site.start()
        for _ in range(KILLS):
            timer = threading.Timer(chance.uniform(0.0, 0.5), site.kill)
            timer.start()
            with suppress(*BROKEN):
                _until_broken(visitor)
            timer.join()
            site.start()
            held = visitor.held()
            assert held is None or held >= visitor.acknowledged
        _last_report(visitor)
    finally:
        site.kill()
    assert len(visitor.receipts) == Report.objects.count() == Exhibit.objects.count()
    for words, data in visitor.receipts:
        visit = visits.resume(visits.enter(words, now=timezone.now()), now=timezone.now())
        assert visit is not None
        exhibit = visit.report.exhibits.get()
        opened = evidence.open_exhibit(exhibit, actor="t", reason="t", now=timezone.now())
        assert opened == data


@pytest.mark.django_db
def test_nothing_is_handed_over_that_is_not_there() -> None:
    """An unfinished upload, and one that never was."""
    made_up = SealedFile("0" * 32, "n", bytes(32), bytes(32), 1, Kind.JPEG, Way.BROWSER)
    uploads.begin(page_token.issue(), 5000, now=timezone.now())

    for file in (made_up, replace(made_up, blob=Upload.objects.get().blob)):
        with pytest.raises(UploadUnknown):
            uploads.claim([file])


def _until_broken(visitor: Visitor) -> None:
    while True:
        try:
            visitor.go_on()
        except Taken:
            visitor._report()


def _last_report(visitor: Visitor) -> None:
    """What is under way is brought to its end."""
    before = len(visitor.receipts)

    class Enough(Exception):
        pass

    def new_page() -> None:
        if len(visitor.receipts) > before:
            raise Enough
        Visitor._new_page(visitor)

    visitor._new_page = new_page  # type: ignore[method-assign]
    with suppress(Enough):
        _until_broken(visitor)


def test_while_one_request_writes_the_other_is_told_to_come_back(
    rows: None, public: Client
) -> None:
    """Two at once: one writes; the other changes nothing."""
    page = page_token.issue()
    sealed = envelope(bytes(5000), seal.recipient_of(seal.new_identity()))
    upload = uploads.begin(page, len(sealed), now=timezone.now())
    headers = {"Upload-Page": page, "Upload-Offset": "0"}

    def put(client: Client) -> tuple[int, dict[str, object]]:
        path = f"/report/upload/{upload}"
        kind = "application/octet-stream"
        answer = client.put(path, sealed, content_type=kind, headers=headers)
        return answer.status_code, answer.json()

    def from_elsewhere() -> tuple[int, dict[str, object]]:
        try:
            return put(Client())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, uploads.transaction.atomic():
        uploads._locked(page, upload)
        status, told = pool.submit(from_elsewhere).result()
        assert (status, told["code"]) == (409, "upload.busy")
    assert put(public) == (200, {"received": len(sealed)})
