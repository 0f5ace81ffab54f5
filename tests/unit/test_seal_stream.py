"""Sealing and opening while bytes pass: bounded, complete, and never hanging."""

import io
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi import seal
from haechi.errors import CannotOpen, KeyMissing, SealError
from haechi.seal import stream

IDENTITY = seal.identity_from_key(b"k" * 32)
RECIPIENT = seal.recipient_of(IDENTITY)
CHUNK = 64 * 1024
AROUND_A_CHUNK = st.builds(
    lambda chunks, more: max(0, chunks * CHUNK + more), st.integers(0, 4), st.integers(-17, 17)
)


def sealing_threads() -> int:
    return sum(thread.name == "seal" for thread in threading.enumerate())


def soon(fact: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not fact() and time.monotonic() < until:
        time.sleep(0.005)
    return fact()


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    yield
    assert soon(lambda: not sealing_threads()), "a sealing thread was left behind"


def sealed(data: bytes) -> bytes:
    out = io.BytesIO()
    with seal.StreamSealer(out, RECIPIENT) as sealer:
        sealer.write(data)
    return out.getvalue()


class DiskFull(OSError):
    """What the caller's own file raises."""


class Full:
    """A file that takes `room` bytes and then fails."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes) -> int:
        """Take all of it or fail."""
        if len(data) > self.room:
            raise DiskFull
        self.room -= len(data)
        return len(data)


def test_thirty_megabytes_pass_in_little_memory_and_open_again(tmp_path: Path) -> None:
    path = tmp_path / "envelope.age"
    chunk = bytes(range(256)) * 256
    tracemalloc.start()
    try:
        with path.open("wb") as out, seal.StreamSealer(out, RECIPIENT) as sealer:
            for _ in range(480):
                # A copy, so that what is held back is seen.
                assert sealer.write(bytes(bytearray(chunk))) == CHUNK
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert path.read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert seal.open_sealed(path.read_bytes(), IDENTITY) == chunk * 480


def test_the_writer_waits_for_a_slow_file() -> None:
    """While the file is stuck, no more than the limit is taken in."""
    gate, taken = threading.Event(), 0

    class Stuck:
        def write(self, data: bytes) -> int:
            assert gate.wait(120)
            return len(data)

    sealer = seal.StreamSealer(Stuck(), RECIPIENT)

    def write() -> None:
        nonlocal taken
        for _ in range(64):
            taken += sealer.write(bytes(CHUNK))

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(0.3)
    assert writer.is_alive()
    # On top of the channel, age holds one chunk of its own and one of ciphertext.
    assert taken <= stream.LIMIT_BYTES + 4 * CHUNK
    gate.set()
    writer.join(10)
    assert taken == 64 * CHUNK
    sealer.finish()


@given(size=AROUND_A_CHUNK, step=st.sampled_from([1000, 8192, CHUNK - 1, CHUNK, CHUNK + 1, 10**6]))
@settings(max_examples=40, deadline=None)
def test_every_size_comes_back_whole(size: int, step: int) -> None:
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    out = io.BytesIO()
    with seal.StreamSealer(out, RECIPIENT) as sealer:
        for at in range(0, size, step):
            sealer.write(data[at : at + step])
    assert seal.open_sealed(out.getvalue(), IDENTITY) == data
    out.seek(0)
    with seal.open_stream(out, IDENTITY) as plain:
        pieces = list(plain)
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= CHUNK for piece in pieces)


def test_a_buffer_that_is_filled_again_is_not_mixed_up() -> None:
    out, buffer = io.BytesIO(), bytearray(CHUNK)
    with seal.StreamSealer(out, RECIPIENT) as sealer:
        for number in range(8):
            buffer[:] = bytes([number]) * CHUNK
            sealer.write(buffer)
    expected = b"".join(bytes([number]) * CHUNK for number in range(8))
    assert seal.open_sealed(out.getvalue(), IDENTITY) == expected


@pytest.mark.parametrize("room", [0, 100, 300, 100_000])
def test_a_full_disk_comes_back_to_the_one_who_writes(room: int) -> None:
    """Also when it only shows in the last bytes, which pyrage itself would lose."""
    with pytest.raises(DiskFull), seal.StreamSealer(Full(room), RECIPIENT) as sealer:
        sealer.write(bytes(100 * CHUNK))


def test_a_full_disk_shows_even_if_all_of_it_was_still_buffered() -> None:
    sealer = seal.StreamSealer(Full(0), RECIPIENT)
    sealer.write(b"short")
    with pytest.raises(DiskFull):
        sealer.finish()
    with pytest.raises(SealError):
        sealer.write(b"more")


def test_a_file_that_takes_a_few_bytes_at_a_time_gets_them_all() -> None:
    class Short(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return super().write(data[:1000])

    out = Short()
    with seal.StreamSealer(out, RECIPIENT) as sealer:
        sealer.write(bytes(200_000))
    assert seal.open_sealed(out.getvalue(), IDENTITY) == bytes(200_000)


def test_a_file_that_takes_nothing_is_an_error_and_no_endless_loop() -> None:
    class Deaf:
        def write(self, data: bytes) -> int:
            del data
            return 0

    with pytest.raises(SealError), seal.StreamSealer(Deaf(), RECIPIENT) as sealer:
        sealer.write(b"words")


@pytest.mark.parametrize("size", [0, 10, CHUNK, 3 * CHUNK + 5])
def test_what_was_aborted_never_opens(size: int) -> None:
    out = io.BytesIO()
    sealer = seal.StreamSealer(out, RECIPIENT)
    sealer.write(bytes(size))
    sealer.abort()
    sealer.abort()
    with pytest.raises(CannotOpen):
        seal.open_sealed(out.getvalue(), IDENTITY)
    with pytest.raises(SealError):
        sealer.finish()


def test_an_exception_in_the_block_aborts() -> None:
    out = io.BytesIO()

    def fail(sealer: seal.StreamSealer) -> None:
        sealer.write(bytes(CHUNK))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), seal.StreamSealer(out, RECIPIENT) as sealer:
        fail(sealer)
    with pytest.raises(CannotOpen):
        seal.open_sealed(out.getvalue(), IDENTITY)


def test_abort_after_finish_changes_nothing() -> None:
    out = io.BytesIO()
    sealer = seal.StreamSealer(out, RECIPIENT)
    sealer.finish()
    sealer.abort()
    assert seal.open_sealed(out.getvalue(), IDENTITY) == b""


def test_abort_does_not_wait_for_ever_for_a_stuck_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "STUCK_S", 0.05)
    gate, entered = threading.Event(), threading.Event()

    class Stuck:
        def write(self, data: bytes) -> int:
            entered.set()
            gate.wait(120)
            return len(data)

    sealer = seal.StreamSealer(Stuck(), RECIPIENT)
    sealer.write(bytes(2 * CHUNK))
    assert entered.wait(60)
    began = time.monotonic()
    sealer.abort()
    assert time.monotonic() - began < 60
    gate.set()


def test_abort_wakes_a_writer_in_another_thread() -> None:
    gate = threading.Event()

    class Stuck:
        def write(self, data: bytes) -> int:
            gate.wait(120)
            return len(data)

    sealer = seal.StreamSealer(Stuck(), RECIPIENT)
    errors: list[SealError] = []

    def write() -> None:
        try:
            sealer.write(bytes(2**22))
        except SealError as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(0.1)
    threading.Timer(0.1, gate.set).start()
    sealer.abort()
    writer.join(5)
    assert len(errors) == 1


def test_a_sealer_that_is_dropped_ends_its_thread() -> None:
    """The fixture does the looking."""
    seal.StreamSealer(io.BytesIO(), RECIPIENT).write(b"words")


def test_many_aborted_sealers_leave_nothing() -> None:
    before = threading.active_count()
    for number in range(50):
        sealer = seal.StreamSealer(io.BytesIO(), RECIPIENT)
        sealer.write(bytes(number * 5000))
        sealer.abort()
    assert threading.active_count() == before


def test_recipients_are_checked_before_anything_starts() -> None:
    with pytest.raises(KeyMissing):
        seal.StreamSealer(io.BytesIO())
    with pytest.raises(SealError):
        seal.StreamSealer(io.BytesIO(), "age1nobody")


def test_reading_in_odd_sizes_gives_the_same_bytes() -> None:
    data = bytes(range(256)) * 1000
    with seal.open_stream(io.BytesIO(sealed(data)), IDENTITY) as plain:
        assert plain.read(0) == b""
        assert plain.read(1) == data[:1]
        assert plain.read(100_000) == data[1:100_001]
        assert next(plain)[:1] == data[100_001:100_002]
        rest = plain.read()
        assert data.endswith(rest)
        assert plain.read() == b""
        assert plain.read(5) == b""


def test_a_wrong_identity_is_refused_at_once() -> None:
    with pytest.raises(CannotOpen):
        seal.open_stream(io.BytesIO(sealed(b"words")), seal.new_identity())
    with pytest.raises(CannotOpen):
        seal.open_stream(io.BytesIO(b"no envelope"), IDENTITY)
    with pytest.raises(CannotOpen):
        seal.open_stream(io.BytesIO(sealed(b"words")), "AGE-SECRET-KEY-1")


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_or_changed_stream_never_looks_whole(data: st.DataObject) -> None:
    plain = bytes(2 * CHUNK + 100)
    envelope = bytearray(sealed(plain))
    at = data.draw(st.integers(0, 10**6)) % len(envelope)
    if data.draw(st.booleans()):
        del envelope[at:]
    else:
        envelope[at] ^= 1 << data.draw(st.integers(0, 7))
    got = []
    with pytest.raises(CannotOpen), seal.open_stream(io.BytesIO(envelope), IDENTITY) as opened:
        got.extend(opened)
    assert plain.startswith(b"".join(got))


def test_chunks_in_another_order_are_refused() -> None:
    envelope = sealed(b"a" * CHUNK + b"b" * CHUNK + b"c")
    whole = CHUNK + 16
    head = len(envelope) - 2 * whole - 17
    first, second = envelope[head : head + whole], envelope[head + whole : head + 2 * whole]
    swapped = envelope[:head] + second + first + envelope[head + 2 * whole :]
    with pytest.raises(CannotOpen):
        seal.open_stream(io.BytesIO(swapped), IDENTITY).read()


def test_what_the_source_raises_comes_through() -> None:
    class Away(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > CHUNK:
                raise DiskFull
            return super().read(size)

    with (
        pytest.raises(DiskFull),
        seal.open_stream(Away(sealed(bytes(20 * CHUNK))), IDENTITY) as opened,
    ):
        opened.read()


def test_a_call_that_was_interrupted_is_an_error_and_no_hang() -> None:
    """The library tries such a call again by itself; the caller must still learn of it."""

    class Once:
        def __init__(self, file: io.BytesIO) -> None:
            self.file, self.interrupted = file, False

        def interrupt(self) -> None:
            if not self.interrupted:
                self.interrupted = True
                raise InterruptedError

        def read(self, size: int) -> bytes:
            self.interrupt()
            return self.file.read(size)

        def write(self, data: bytes) -> int:
            self.interrupt()
            return self.file.write(data)

    with pytest.raises(InterruptedError):
        seal.open_stream(Once(io.BytesIO(sealed(b"words"))), IDENTITY).read()
    sealer = seal.StreamSealer(Once(io.BytesIO()), RECIPIENT)
    sealer.write(b"words")
    with pytest.raises(InterruptedError):
        sealer.finish()


def test_closing_early_ends_the_thread_and_is_final() -> None:
    opened = seal.open_stream(io.BytesIO(sealed(bytes(40 * CHUNK))), IDENTITY)
    assert next(opened)
    opened.close()
    opened.close()
    assert not sealing_threads()
    with pytest.raises(SealError):
        next(opened)


def test_a_stream_that_is_dropped_ends_its_thread() -> None:
    """The fixture does the looking."""
    next(seal.open_stream(io.BytesIO(sealed(bytes(40 * CHUNK))), IDENTITY))


def test_where_no_thread_can_start_sealing_fails_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    envelope = sealed(b"words")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(SealError):
        seal.StreamSealer(io.BytesIO(), RECIPIENT)
    with pytest.raises(SealError):
        seal.open_stream(io.BytesIO(envelope), IDENTITY)
