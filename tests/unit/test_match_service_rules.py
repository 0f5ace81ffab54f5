"""The parts of the match service that need no database: settings, verdicts, gate, counters."""

import asyncio
import os

import pytest

from haechi.errors import InvalidDocument, MatchBusy, SettingRefused
from haechi.index import Entry, Hit, Query, Verdict
from haechi.match_service.config import Settings
from haechi.match_service.decide import Bank, Found, decide
from haechi.match_service.gate import Gate
from haechi.match_service.intake import Asked, own_address
from haechi.match_service.metrics import Metrics
from haechi.match_service.mirror import MemberRow, Mirror
from haechi.match_service.refusals import answer

ENVIRON = {"HAECHI_DATABASE_URL": "postgresql:///x", "HAECHI_DIGEST_KEY": "ab" * 32}


def test_settings_come_from_the_environment_and_have_defaults() -> None:
    settings = Settings.from_environ(
        {**ENVIRON, "HAECHI_PUBLIC_URL": "https://h.example/", "HAECHI_MATCH_QUEUE": "3"}
    )
    assert settings.digest_key == bytes.fromhex("ab" * 32)
    assert (settings.public_url, settings.queue) == ("https://h.example", 3)
    assert settings.limit_bytes == 50_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HAECHI_DATABASE_URL", ""),
        ("HAECHI_DIGEST_KEY", ""),
        ("HAECHI_DIGEST_KEY", "AB" * 32),
        ("HAECHI_DIGEST_KEY", "ab" * 31),
        ("HAECHI_MATCH_QUEUE", "0"),
        ("HAECHI_MATCH_LIMIT_BYTES", "50MB"),
        ("HAECHI_MATCH_DECODERS", "\u00b2"),
        ("HAECHI_HMA_OPEN", "yes"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingRefused, match=name):
        Settings.from_environ({**ENVIRON, name: value})


def found(policy: str, verdict: Verdict, member: int = 1) -> Found:
    hit = Hit(member, verdict, 0, None, 0, "pdq")
    return Found(member, Bank(policy, policy, enabled=True), hit)  # type: ignore[arg-type]


def test_the_strictest_bank_decides_even_behind_a_better_hit() -> None:
    """A bank that only records must not hide a bank that blocks."""
    record = found("record", Verdict.IDENTICAL_FILE, 1)
    review = found("review", Verdict.SAME_PICTURE, 2)
    block = found("block", Verdict.EDITED_COPY, 3)
    assert decide([record, review, block]).deciding is block
    assert decide([record, review, block]).outcome == "block"
    assert decide([record, review]).outcome == "review"
    assert decide([record]).outcome == "publish"
    assert decide([record]).verdict is Verdict.IDENTICAL_FILE


def test_nothing_found_is_published() -> None:
    decision = decide([])
    assert (decision.outcome, decision.verdict) == ("publish", Verdict.NO_MATCH)
    assert decision.reason["code"] == "match.no_match"


def test_the_best_hit_of_the_strictest_bank_decides() -> None:
    better, worse = found("block", Verdict.SAME_PICTURE, 1), found("block", Verdict.EDITED_COPY, 2)
    assert decide([better, worse]).deciding is better


def test_the_gate_refuses_when_its_queue_is_full() -> None:
    async def scene() -> None:
        gate, go = Gate(places=1, queue=1), asyncio.Event()
        inside: list[str] = []

        async def visitor(name: str) -> None:
            async with gate.place():
                inside.append(name)
                await go.wait()

        first, second = (asyncio.create_task(visitor(name)) for name in ("first", "second"))
        await asyncio.sleep(0)
        with pytest.raises(MatchBusy):
            await visitor("third")
        assert inside == ["first"]
        go.set()
        await asyncio.gather(first, second)
        assert inside == ["first", "second"]
        await visitor("fourth")
        assert gate.waiting == 0

    asyncio.run(scene())


def test_a_visitor_who_gives_up_leaves_the_queue() -> None:
    async def scene() -> None:
        gate = Gate(places=1, queue=1)
        async with gate.place():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), gate.place():
                    pass
            assert gate.waiting == 0
        async with gate.place():
            pass

    asyncio.run(scene())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sha256": "00" * 31},
        {"sha256": "00" * 33},
        {"sha256": "zz" * 32},
        {"sha256": "00 " * 32},
        {"sha256": 7},
        {"sha256": "00" * 32, "pdq": "00"},
        {"sha256": "00" * 32, "pdq": "00" * 32},
        {"sha256": "00" * 32, "pdq": "00" * 32, "pdq_quality": 101},
        {"sha256": "00" * 32, "pdq": "00" * 32, "pdq_quality": True},
        {"sha256": "00" * 32, "pdq": "00" * 32, "pdq_quality": 50.0},
    ],
)
def test_hashes_of_another_form_are_refused(body: dict[str, object]) -> None:
    with pytest.raises(InvalidDocument):
        Asked.hashes(body)


def test_counters_are_text_that_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.request("match", 200, 0.004, "block")
    metrics.request("match", 200, 0.3, "block")
    metrics.request("match", 401, 99.0)
    metrics.outcome("block")
    lines = metrics.text({"members": 3}).splitlines()
    assert "haechi_match_members 3" in lines
    assert 'haechi_match_requests_total{route="match",status="200"} 2' in lines
    assert 'haechi_match_outcomes_total{outcome="block"} 1' in lines
    assert (
        'haechi_match_request_seconds_bucket{route="match",outcome="block",le="0.005"} 1' in lines
    )
    assert 'haechi_match_request_seconds_bucket{route="match",outcome="block",le="0.5"} 2' in lines
    assert 'haechi_match_request_seconds_bucket{route="match",outcome="4xx",le="+Inf"} 1' in lines
    assert 'haechi_match_request_seconds_count{route="match",outcome="block"} 2' in lines
    assert f'haechi_match_x{{process="{os.getpid()}"}} 1' in Metrics(several=True).text({"x": 1})


def member(key: int, bank: int, *, confirmed: bool = True) -> MemberRow:
    return MemberRow(key, bank, confirmed, bytes([key]) * 32, None, 0, None, b"")


def test_a_load_that_broke_off_shows_nothing_of_a_new_bank() -> None:
    """Members come before the bank is in force; until then they match nothing."""
    mirror, banks = Mirror(), {1: Bank("a", "block", enabled=True)}
    row = member(1, 1)
    query = Asked.hashes({"sha256": row.sha256.hex()}).query
    mirror.apply([row], mirror.enabled(banks))
    assert mirror.search(query) == []
    mirror.finish(banks, 1)
    assert [one.member for one in mirror.search(query)] == [1]
    assert mirror.stale(banks, {}) == set()


def test_disabling_a_bank_takes_its_members_out_and_leaves_the_others() -> None:
    mirror = Mirror()
    both = {1: Bank("a", "block", enabled=True), 2: Bank("b", "block", enabled=True)}
    mirror.apply([member(1, 1), member(2, 2)], mirror.enabled(both))
    mirror.finish(both, 2)
    mirror.finish({1: Bank("a", "block", enabled=False)}, 3)
    assert (len(mirror), mirror.seq) == (1, 3)
    assert mirror.stale({1: Bank("a", "block", enabled=True)}, {}) == {1}
    mirror.apply([member(2, 2, confirmed=False)], mirror.enabled({}))
    assert len(mirror) == 0


def test_a_bad_row_neither_ends_the_reading_nor_loses_what_is_sound_in_it() -> None:
    one, two = b"a" * 512, b"b" * 512
    assert MemberRow(1, 1, True, b"s" * 32, None, 0, one, one + two).entry().views == (one, two)  # noqa: FBT003
    bad = MemberRow(2, 1, True, b"s" * 32, b"short", 900, b"short", one + b"torn", frames=b"cut")  # noqa: FBT003
    assert bad.entry() == Entry(2, b"s" * 32, None, 100, None, (one,))
    mirror, banks = Mirror(), {1: Bank("a", "block", enabled=True, thresholds=[])}  # type: ignore[arg-type]
    mirror.apply([bad, member(3, 1)], {1})
    mirror.finish(banks, 1)
    assert len(mirror) == 2
    found = mirror.search(Query(b"s" * 32, (), 0, None))
    assert [one.member for one in found] == [2]


def test_every_refusal_says_when_to_come_back_or_how_to_get_in() -> None:
    busy = answer(MatchBusy())
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "2")
    assert b'"code":"matching.busy"' in bytes(busy.body)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://board.test/1", True),
        ("HTTP://Board.TEST.:80/1", True),
        ("https://board.test:443/1", True),
        ("https://board.test:8443/1", False),
        ("https://other.test/board.test", False),
        ("https://[", False),
        ("@channel", False),
    ],
)
def test_an_address_is_on_the_platform_s_own_host_or_refused(url: str, *, own: bool) -> None:
    if own:
        assert own_address(url, "https://board.test/") == url
        return
    with pytest.raises(InvalidDocument, match="url"):
        own_address(url, "https://board.test/")
    with pytest.raises(InvalidDocument):
        own_address(url, "")
