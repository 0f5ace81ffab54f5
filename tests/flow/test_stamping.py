"""Time stamps by a real authority: openssl answers behind a small HTTP server of ours."""

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import submit

from haechi.errors import DeliveryFailed
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Checkpoint
from haechi.server.evidence import custody, stamping
from haechi.server.evidence.models import Stamp

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Time of a test
[tsa_certificate]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
certs = {folder}/tsa.pem
"""


def openssl(folder: Path, *words: str) -> bytes:
    done = subprocess.run(  # noqa: S603  # words of ours
        ["openssl", *words],  # noqa: S607  # wherever it is
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, and an authority that it certifies for time stamps."""
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    new = ["-config", "tsa.cnf", "-newkey", "rsa:2048", "-nodes"]
    openssl(
        folder, "req", "-x509", *new, "-subj", "/CN=Root", "-extensions", "root",
        "-days", "3650", "-keyout", "root.key", "-out", "root.pem",
    )  # fmt: skip
    openssl(folder, "req", *new, "-keyout", "tsa.key", "-out", "tsa.csr")
    openssl(
        folder, "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
        "-CAcreateserial", "-days", "3650", "-extfile", "tsa.cnf",
        "-extensions", "tsa_certificate", "-out", "tsa.pem",
    )  # fmt: skip
    return folder


class _Handler(BaseHTTPRequestHandler):
    folder: Path
    asked: list[bytes]
    replay = b""

    def do_POST(self) -> None:
        """Answer as an authority does."""
        query = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(query)
        (self.folder / "query.tsq").write_bytes(query)
        answer = self.replay or openssl(
            self.folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq"
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as it is there
        """Quiet."""


@pytest.fixture
def served(authority: Path, settings: Settings) -> Iterator[type[_Handler]]:
    handler = type("Handler", (_Handler,), {"folder": authority, "asked": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        settings.HAECHI = replace(django_settings.HAECHI, tsa_url=address)
        yield handler
        server.shutdown()
        thread.join()


def test_openssl_verifies_the_stamp_over_the_receipt(
    cat: bytes, served: type[_Handler], authority: Path, tmp_path: Path
) -> None:
    """The authority learns a digest of the receipt, and nothing of the picture."""
    report, _code = submit(cat)
    exhibit = report.exhibits.get()

    flow.stamp_receipt(str(exhibit.pk))
    flow.stamp_receipt(str(exhibit.pk))

    stamp = Stamp.objects.get(exhibit=exhibit)
    history = custody.of(exhibit)
    assert history.stamped
    (tmp_path / "receipt.json").write_bytes(audit.payload(history.receipt))
    (tmp_path / "stamp.tsr").write_bytes(bytes(stamp.token))
    openssl(
        tmp_path, "ts", "-verify", "-data", "receipt.json", "-in", "stamp.tsr",
        "-CAfile", str(authority / "root.pem"),
    )  # fmt: skip
    assert len(served.asked) == 1, "asked once, however often the job runs"
    assert bytes(exhibit.sha256) not in served.asked[0]


def test_a_checkpoint_of_the_log_is_stamped_once(
    served: type[_Handler], authority: Path, tmp_path: Path
) -> None:
    """B34: the authority confirms when the log was as long as the note says."""
    flow.sign_checkpoint(0)
    flow.sign_checkpoint(0)
    signed = Checkpoint.objects.get()
    for job in ProcrastinateJob.objects.filter(task_name="anchor_checkpoint"):
        flow.anchor_checkpoint(**job.args)
        flow.anchor_checkpoint(**job.args)

    anchor = signed.anchors.get()
    (tmp_path / "checkpoint.txt").write_text(signed.note, encoding="utf-8")
    (tmp_path / "checkpoint.tsr").write_bytes(bytes(anchor.proof))
    openssl(
        tmp_path, "ts", "-verify", "-data", "checkpoint.txt", "-in", "checkpoint.tsr",
        "-CAfile", str(authority / "root.pem"),
    )  # fmt: skip
    assert len(served.asked) == 1


def test_an_answer_to_another_question_is_refused(cat: bytes, served: type[_Handler]) -> None:
    first, second = (submit(cat)[0].exhibits.get() for _ in range(2))
    stamp = stamping.stamp(first, now=NOON)
    assert stamp is not None
    served.replay = bytes(stamp.token)

    with pytest.raises(DeliveryFailed):
        stamping.stamp(second, now=NOON)
    served.replay = b"not a time stamp"
    with pytest.raises(DeliveryFailed):
        stamping.stamp(second, now=NOON)

    assert not Stamp.objects.filter(exhibit=second).exists()


def test_without_an_authority_there_is_no_stamp(cat: bytes) -> None:
    """Absent, never faked."""
    exhibit = submit(cat)[0].exhibits.get()

    assert stamping.stamp(exhibit, now=NOON) is None
    assert not custody.of(exhibit).stamped
