"""A job that crashes, hangs, eats memory or lies costs that job and nothing else."""

import gc
import hashlib
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from haechi import fingerprint
from haechi.errors import (
    BrokenMedia,
    DecoderCrashed,
    DecodeTimeout,
    LedgerBroken,
    NotMedia,
    TooManyBytes,
)
from haechi.media import Kind, Limits, Sandbox, child, decode, sniff, wire
from haechi.media import sandbox as sandbox_module

JOBS = """
import ctypes, hashlib, os, sys, time
from haechi.errors import LedgerBroken

def sleep(data):
    time.sleep(60)

def die(data):
    os._exit(3)

def fault(data):
    ctypes.string_at(0)

def grow(data):
    return len(bytearray(1 << 40))

def grow_slowly(data):
    kept = []
    while True:
        kept.append(bytearray(64 << 20))

def stumble(data):
    raise KeyError("not ours")

def refuse(data):
    raise LedgerBroken(7, "changed")

def noise(data):
    os.write(1, b"noise on the answer's way")
    os.write(2, b"and on the other")
    print("more")
    return data

def environment(data):
    return sorted(os.environ)

def digest(data):
    return hashlib.sha256(data).digest()

def number(data):
    return os.getpid()

def strange(data):
    return object()

def flood(data):
    return bytes(1 << 22)
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    (tmp_path / "sandbox_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sandbox_jobs", raising=False)
    import sandbox_jobs  # noqa: PLC0415 - written above

    return sandbox_jobs


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(1, Limits(seconds=40, memory_bytes=1 << 30, result_bytes=1 << 21)) as sandbox:
        yield sandbox


def png() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((30, 40, 3), 77, dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_results_come_back_as_they_are(box: Sandbox) -> None:
    picture = box.run(decode, png())
    assert picture.kind is Kind.PNG
    assert (picture.rgb == 77).all()
    assert picture.rgb.shape == (30, 40, 3)
    assert box.run(sniff, png()) is Kind.PNG


def test_arguments_reach_the_function(box: Sandbox) -> None:
    with pytest.raises(TooManyBytes):
        box.run(decode, png(), limits=Limits(bytes=10))


def test_a_fingerprint_is_the_same_in_and_out() -> None:
    with Sandbox(1) as sandbox:
        assert sandbox.run(fingerprint.image, png()) == fingerprint.image(png())


def test_our_errors_come_back_as_themselves(box: Sandbox, jobs: object) -> None:
    with pytest.raises(NotMedia):
        box.run(decode, b"nothing of the kind")
    with pytest.raises(BrokenMedia):
        box.run(decode, b"GIF89a")
    with pytest.raises(LedgerBroken, match="entry 7"):
        box.run(jobs.refuse, b"")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", ["die", "fault", "grow", "grow_slowly", "stumble", "strange", "flood"]
)
def test_only_the_job_is_lost(box: Sandbox, jobs: object, name: str) -> None:
    with pytest.raises(DecoderCrashed):
        box.run(getattr(jobs, name), b"")
    assert box.run(sniff, png()) is Kind.PNG


def test_a_hanging_job_ends_in_time(jobs: object) -> None:
    """The job would sleep for a minute."""
    with Sandbox(1, Limits(seconds=5)) as box:
        start = time.monotonic()
        with pytest.raises(DecodeTimeout):
            box.run(jobs.sleep, b"")  # type: ignore[attr-defined]
        assert time.monotonic() - start < 50
        assert box.run(sniff, png()) is Kind.PNG


def test_noise_does_not_spoil_an_answer(
    box: Sandbox, jobs: object, capfd: pytest.CaptureFixture[str]
) -> None:
    assert box.run(jobs.noise, b"clean") == b"clean"  # type: ignore[attr-defined]
    assert capfd.readouterr() == ("", "")


def test_no_secret_reaches_a_child(
    box: Sandbox, jobs: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAECHI_SECRET_KEY", "s")
    monkeypatch.setenv("HAECHI_DATABASE_URL", "d")
    seen = box.run(jobs.environment, b"")  # type: ignore[attr-defined]
    assert "PATH" in seen
    assert not [name for name in seen if name.startswith("HAECHI_")]


def test_a_process_is_replaced_after_its_share(jobs: object) -> None:
    with Sandbox(1, Limits(jobs=2)) as sandbox:
        numbers = [sandbox.run(jobs.number, b"") for _ in range(4)]  # type: ignore[attr-defined]
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]


def test_too_many_bytes_never_leave(jobs: object) -> None:
    with Sandbox(1, Limits(bytes=10)) as sandbox, pytest.raises(TooManyBytes):
        sandbox.run(jobs.number, bytes(11))  # type: ignore[attr-defined]


def test_threads_share_the_processes(jobs: object) -> None:
    with Sandbox(2) as sandbox, ThreadPoolExecutor(8) as threads:
        numbers = set(threads.map(lambda _: sandbox.run(jobs.number, b""), range(24)))  # type: ignore[attr-defined]
    assert 1 <= len(numbers) <= 2
    assert os.getpid() not in numbers


def test_closing_ends_what_runs(jobs: object) -> None:
    sandbox = Sandbox(1, Limits(seconds=30))
    sandbox.run(sniff, png())
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            sandbox.run(jobs.sleep, b"")  # type: ignore[attr-defined]
        except DecoderCrashed as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    sandbox.close()
    thread.join(timeout=25)  # the limit of the job is thirty
    assert not thread.is_alive()
    assert raised
    with pytest.raises(DecoderCrashed, match="closed"):
        sandbox.run(sniff, png())
    sandbox.close()


def test_a_forgotten_sandbox_leaves_no_process(jobs: object) -> None:
    sandbox = Sandbox(1)
    number = sandbox.run(jobs.number, b"")  # type: ignore[attr-defined]
    del sandbox
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_script_without_a_guard_is_not_run_twice(tmp_path: Path) -> None:
    """Unlike multiprocessing, which imports the main module again in every child."""
    script = tmp_path / "script.py"
    script.write_text(
        "from haechi.media import Sandbox, sniff\n"
        "print('once')\n"
        "print(Sandbox(1).run(sniff, b'GIF89a').value)\n"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(  # noqa: S603 - the interpreter that runs this test
        [sys.executable, "-W", "error", str(script)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": path},
        timeout=60,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["once", "gif"], "")


def served(*messages: object, result_bytes: int = 1000) -> list[list[object]]:
    """What a child would answer to `messages`; bytes are the file that a job is about."""
    encoded = [one if isinstance(one, bytes) else wire.encode(one) for one in messages]
    jobs = io.BytesIO(b"".join(len(one).to_bytes(8, "big") + one for one in encoded))
    answers = io.BytesIO()
    child.serve(jobs, answers, result_bytes=result_bytes)
    out, found = answers.getvalue(), []
    while out:
        end = 8 + int.from_bytes(out[:8], "big")
        found.append(wire.decode(out[8:end]))
        out = out[end:]
    return found


def test_a_child_answers_every_message(jobs: object) -> None:
    assert jobs
    found = served(
        ["haechi.media.kind"],
        ["haechi.no_such_module"],
        *[["haechi.media.kind", "sniff", (), {}, 20], b"GIF89a"],
        *[["haechi.media.kind", "sniff", (), {}, 20], b"nothing"],
        *[["haechi.media.kind", "Kind.GIF", (), {}, 20], b""],
        *[["sandbox_jobs", "stumble", (), {}, 20], b""],
        *[["sandbox_jobs", "grow", (), {}, 20], b""],
        *[["sandbox_jobs", "flood", (), {}, 20], b""],
    )
    assert found[0] == ["ok", None]
    assert found[2] == ["ok", Kind.GIF]
    assert found[3][:2] == ["error", "NotMedia"]
    assert [answer[0] for answer in found] == ["ok", "failed", "ok", "error", *["failed"] * 4]
    assert "memory" in str(found[6][1])


def test_an_error_of_another_tree_is_a_crash() -> None:
    assert isinstance(sandbox_module._rebuilt("SystemExit", "bye"), DecoderCrashed)
    for answer in (wire.encode([]), wire.encode(["error", "NotMedia"]), b"junk"):
        with pytest.raises(DecoderCrashed, match="no sense"):
            sandbox_module.result_of(answer)


def test_an_answer_can_name_nothing_but_our_own_data() -> None:
    """A child that was taken over cannot have the parent build objects of its choice."""
    for named in ("os:system", "subprocess:Popen", "haechi.media.sandbox:Sandbox", "haechi:x"):
        shape = b'{"!": "data", "of": "%s", "fields": {}}' % named.encode()
        with pytest.raises(ValueError, match="not a message"):
            wire.decode(len(shape).to_bytes(8, "big") + shape)


@pytest.mark.parametrize("message", [b"", b"\x00" * 8, b"\xff" * 40, wire.encode([b"abc"])[:-1]])
def test_a_spoiled_message_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a message|Expecting|decode"):
        wire.decode(message)


def test_values_cross_unchanged() -> None:
    value = [None, True, 3, 2.5, "한", b"\x00\xff", (1, (b"x",)), {"a": Kind.PNG}, Limits()]
    assert wire.decode(wire.encode(value)) == value
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    back = wire.decode(wire.encode(array))
    assert back.dtype == array.dtype
    assert (back == array).all()
    assert not back.flags.writeable


def test_a_job_longer_than_the_pipe_arrives_whole(box: Sandbox, jobs: object) -> None:
    """It goes in as many pieces as the pipe takes, each from where the last one ended."""
    data = os.urandom((5 << 20) + 7)
    assert box.run(jobs.digest, data) == hashlib.sha256(data).digest()  # type: ignore[attr-defined]
