"""Policies, vetoes, holds and thresholds: the rules of docs/banks.md, without a database."""

import time
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.errors import PolicyRefused
from haechi.fingerprint import Frame, Pdq
from haechi.index import DEFAULT, Catalog, Entry, Hit, Policy, Query, Verdict, thresholds
from haechi.match_service import mirror as mirrors
from haechi.match_service.decide import Bank, Found, decide, nearness
from haechi.match_service.mirror import FOR_EVER_S, MemberRow, Mirror, Source

STRICTNESS = {"publish": 0, "review": 1, "block": 2}
numbers = count(1)


def hit(
    verdict: str, bits: int | None = None, similarity: float | None = None, by: str = ""
) -> Hit:
    found_by = by or (
        "sha256" if verdict == "identical_file" else "sscd" if bits is None else "pdq"
    )
    return Hit(next(numbers), Verdict(verdict), bits, similarity, 0, found_by)


def found(policy: str, seen: Hit, held: str = "") -> Found:
    return Found(seen.key, Bank(policy, policy, enabled=True), seen, held)  # type: ignore[arg-type]


@st.composite
def hits(draw: st.DrawFn) -> Hit:
    """Any hit a search can answer."""
    kind = draw(st.sampled_from(["file", "bits", "both", "sscd", "sscd_view"]))
    similarity = draw(st.floats(0.5, 1.0))
    if kind == "file":
        return hit("identical_file", draw(st.none() | st.just(0)))
    if kind in ("sscd", "sscd_view"):
        return hit("edited_copy", None, similarity, kind)
    bits = draw(st.integers(0, 31))
    same = bits <= DEFAULT.pdq_same_bits and draw(st.booleans())
    return hit(
        "same_picture" if same else "edited_copy", bits, similarity if kind == "both" else None
    )


POLICIES = st.sampled_from(["block", "review", "record", "benign"])
HOLDS = st.sampled_from(["", "", "", "flood", "disputed", "staff"])
FOUND = st.builds(found, POLICIES, hits(), HOLDS)


def outcome(several: list[Found]) -> str:
    return decide(sorted(several, key=lambda one: (nearness(one.hit), one.member))).outcome


@given(st.lists(FOUND, max_size=6), hits(), st.sampled_from(["block", "review", "record"]), HOLDS)
def test_one_more_listed_member_never_makes_an_outcome_milder(
    several: list[Found], more: Hit, policy: str, held: str
) -> None:
    before = outcome(several)
    assert STRICTNESS[outcome([*several, found(policy, more, held)])] >= STRICTNESS[before]


@given(st.lists(FOUND, max_size=6), hits())
def test_a_harmless_member_never_makes_an_outcome_stricter(several: list[Found], more: Hit) -> None:
    assert STRICTNESS[outcome([*several, found("benign", more)])] <= STRICTNESS[outcome(several)]


@given(st.lists(FOUND, max_size=6))
def test_a_file_that_a_person_confirmed_is_never_freed_by_harmless_members(
    several: list[Found],
) -> None:
    """Whatever else it meets: at worst a person looks."""
    listed = found("block", hit("identical_file"))
    assert outcome([*several, listed]) in ("block", "review")


@given(st.lists(FOUND, max_size=6))
def test_the_order_of_hits_does_not_change_the_outcome(several: list[Found]) -> None:
    assert decide(several).outcome == decide(several[::-1]).outcome


@pytest.mark.parametrize(
    ("listed", "harmless", "expected"),
    [
        # The innocent original is nearer than the fake made of it: it may be published.
        (hit("same_picture", 12), hit("same_picture", 2), "publish"),
        (hit("same_picture", 12), hit("identical_file"), "publish"),
        (hit("edited_copy", 30), hit("edited_copy", 30), "publish"),
        (hit("edited_copy", None, 0.9), hit("same_picture", 4), "publish"),
        # The fake is nearer: the veto has no say.
        (hit("same_picture", 2), hit("same_picture", 12), "block"),
        (hit("identical_file"), hit("same_picture", 0), "block"),
        (hit("edited_copy", 20), hit("edited_copy", None, 1.0), "block"),
        # Two people said different things about one picture.
        (hit("identical_file"), hit("identical_file"), "review"),
        (hit("same_picture", 3), hit("same_picture", 3), "review"),
        # A part of the upload is listed, however harmless the rest.
        (hit("edited_copy", None, 0.9, "sscd_view"), hit("same_picture", 1), "review"),
        (hit("edited_copy", None, 0.9, "sscd_view"), hit("identical_file"), "review"),
        # Only a part of it is harmless.
        (hit("edited_copy", None, 0.8), hit("edited_copy", None, 0.9, "sscd_view"), "review"),
        # Half and half: like both. A likeness does not free what would be blocked,
        (hit("edited_copy", None, 0.82), hit("edited_copy", None, 0.85), "review"),
        # but spares a person what would only be reviewed.
        (hit("edited_copy", None, 0.6), hit("edited_copy", None, 0.85), "publish"),
        (hit("edited_copy", None, 0.6), hit("edited_copy", None, 0.65), "review"),
    ],
)
def test_what_a_harmless_picture_vetoes(listed: Hit, harmless: Hit, expected: str) -> None:
    taken_back = found("benign", harmless)
    decision = decide([found("block", listed), taken_back])
    assert decision.outcome == expected
    mild = expected == "publish" or outcome([found("block", listed)]) != expected
    assert decision.veto == (taken_back if mild else None), "the veto is named where it counted"
    assert ("harmless" in decision.reason["words"]) == mild


def test_a_veto_counts_against_each_hit_by_itself() -> None:
    near, far = found("block", hit("same_picture", 14)), found("block", hit("same_picture", 1))
    harmless = found("benign", hit("same_picture", 5))
    assert decide([harmless, near]).outcome == "publish"
    decision = decide([far, harmless, near])
    assert (decision.outcome, decision.deciding, decision.veto) == ("block", far, None)


def test_a_held_harmless_member_vetoes_nothing() -> None:
    listed = found("block", hit("same_picture", 12))
    assert decide([listed, found("benign", hit("same_picture", 2), "staff")]).outcome == "block"


@pytest.mark.parametrize("held", ["disputed", "staff", "flood"])
def test_a_hold_sends_to_review(held: str) -> None:
    assert decide([found("block", hit("edited_copy", 25), held)]).outcome == "review"


def test_a_flood_never_frees_the_picture_itself() -> None:
    """Whoever floods a member with edited copies gains nothing for the original."""
    for seen in (hit("identical_file"), hit("same_picture", 5)):
        assert decide([found("block", seen, "flood")]).outcome == "block"
        assert decide([found("block", seen, "disputed")]).outcome == "review"


# --- thresholds


def test_thresholds_are_checked_by_name_and_range() -> None:
    good = {"pdq_edited_bits": 20, "sscd_similarity": 0.6}
    assert thresholds.policy(good, {"pdq_edited_bits": 10}) == Policy(
        pdq_edited_bits=10, sscd_similarity=0.6
    )
    for name, value in [
        ("pdq_edited_bits", 41),
        ("pdq_edited_bits", -1),
        ("pdq_edited_bits", 2.5),
        ("pdq_edited_bits", True),
        ("pdq_edited_bits", "20"),
        ("sscd_similarity", 0.1),
        ("sscd_similarity", float("nan")),
        ("min_quality", 60),
        ("colour", 1),
    ]:
        with pytest.raises(PolicyRefused, match=name):
            thresholds.checked({name: value})


LAYER = st.fixed_dictionaries(
    {},
    optional={
        "pdq_same_bits": st.integers(0, 40),
        "pdq_edited_bits": st.integers(0, 40),
        "sscd_similarity": st.floats(0.3, 1),
        "sscd_view_similarity": st.floats(0.3, 1),
    },
)


TOLD = bytes(range(32))


def changed(bits: int, seed: int) -> bytes:
    """TOLD, in which so many bits are changed."""
    places = np.random.default_rng(seed).permutation(256)[:bits]
    return (int.from_bytes(TOLD) ^ sum(1 << int(place) for place in places)).to_bytes(32)


def like(cosine: float) -> bytes:
    """A vector; its cosine to that of 1 is `cosine`."""
    vector = np.zeros(512, np.int8)
    vector[0], vector[1] = round(127 * cosine), round(127 * (1 - cosine**2) ** 0.5)
    return vector.tobytes()


@st.composite
def evidence(draw: st.DrawFn) -> tuple[Entry, Query]:
    """A member and an upload that are alike as a whole and in part, by PDQ and by embedding."""
    whole, part, turned = (draw(st.integers(0, 60)) for _ in range(3))
    others = [np.random.default_rng(one).bytes(32) for one in range(6)]
    turns = [changed(whole, 1), changed(turned, 2), *others]
    entry = Entry(draw(st.integers(0, 9)), b"", TOLD, 100, like(1), (like(draw(st.floats(0, 1))),))
    query = Query(
        sha256=b"",
        turns=(*turns, changed(part, 3), *others, others[0]),
        pdq_quality=100,
        embedding=like(draw(st.floats(0, 1))),
        insets=1,
    )
    return entry, query


@given(evidence(), LAYER, st.lists(LAYER, max_size=3))
@settings(deadline=None)
def test_what_other_banks_admit_changes_nothing_for_a_bank(
    met: tuple[Entry, Query], layer: dict[str, int | float], others: list[dict[str, int | float]]
) -> None:
    entry, query = met
    catalog, own = Catalog(), thresholds.policy(layer)
    catalog.put(entry)
    loosest = thresholds.loosest([own, *map(thresholds.policy, others)])

    found = thresholds.found(lambda one: catalog.search(query, one), loosest, lambda _: own)

    assert found == [(hit, own) for hit in catalog.search(query, own)]


def test_a_wider_bank_hides_no_inset_from_another() -> None:
    """Whole at 38 bits and in part at 4: where 40 are the same picture, the whole counts first."""
    others = tuple(np.random.default_rng(one).bytes(32) for one in range(7))
    query = Query(b"", (changed(38, 1), *others, changed(4, 2), *others), 100, None, insets=1)
    member = MemberRow(1, 1, True, None, TOLD, 100, None, b"")  # noqa: FBT003 - a column
    wide = Bank(
        "wide", "record", enabled=True, thresholds={"pdq_same_bits": 40, "pdq_edited_bits": 40}
    )
    mirror = mirrored([member], {1: Bank("usual", "block", enabled=True), 2: wide})

    assert [one.hit.distance_bits for one in mirror.search(query)] == [4]


def test_what_nobody_finds_is_searched_for_once() -> None:
    asked: list[Policy] = []

    def search(policy: Policy) -> list[Hit]:
        asked.append(policy)
        return []

    assert thresholds.found(search, DEFAULT, lambda _: Policy(pdq_edited_bits=3)) == []
    assert asked == [DEFAULT]


# --- the mirror

QUERY = Query(sha256=b"", turns=(bytes(32),), pdq_quality=100, embedding=None, views=())


def row(key: int, bits: int, bank: int = 1, **more: object) -> MemberRow:
    """A member that is `bits` away from the query."""
    pdq, confirmed = ((1 << bits) - 1).to_bytes(32), True
    return MemberRow(key, bank, confirmed, None, pdq, 100, None, b"", **more)  # type: ignore[arg-type]


def mirrored(rows: list[MemberRow], banks: dict[int, Bank], **sources: Source) -> Mirror:
    mirror = Mirror()
    mirror.apply(rows, mirror.enabled(banks))
    mirror.finish(banks, 1, {(1, name): source for name, source in sources.items()})
    return mirror


def test_each_bank_and_source_has_its_own_distance() -> None:
    wide = Bank("wide", "block", enabled=True, thresholds={"pdq_edited_bits": 40})
    usual, narrow = Bank("usual", "block", enabled=True), {"pdq_edited_bits": 4}
    mirror = mirrored(
        [row(1, 38), row(2, 38, bank=2), row(3, 20, bank=2), row(4, 20, source="far")],
        {1: wide, 2: usual},
        far=Source(trusted=False, thresholds=narrow),
    )
    assert [one.member for one in mirror.search(QUERY)] == [3, 1]
    mirror.finish({}, 2, {(1, "far"): Source(trusted=False, thresholds={})})
    assert [one.member for one in mirror.search(QUERY)] == [3, 4, 1], "with the next change"


def test_the_thresholds_of_the_installation_are_what_banks_lay_theirs_over() -> None:
    """HAECHI_POLICY_FILE: stricter and looser than the built-in ones."""
    banks = {
        1: Bank("usual", "block", enabled=True),
        2: Bank("own", "block", enabled=True, thresholds={"pdq_edited_bits": 31}),
    }
    rows = [row(1, 25), row(2, 25, bank=2), row(3, 35), row(4, 35, bank=2)]
    for usual, members in ((20, [2]), (36, [1, 2, 3])):
        mirror = Mirror(Policy(pdq_same_bits=2, pdq_edited_bits=usual))
        for _ in range(2):
            mirror.apply(rows, mirror.enabled(banks))
            mirror.finish(banks, 1)
            assert sorted(one.member for one in mirror.search(QUERY)) == members
            mirror.forget()


def test_of_very_many_near_members_the_nearest_count_and_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is published because of what was left out; a block stays one."""
    monkeypatch.setattr(mirrors, "MOST_HITS", 5)
    record = {1: Bank("r", "record", enabled=True)}
    far = mirrored([row(key, 10 + key % 3) for key in range(1, 9)], record).search(QUERY)
    assert far.truncated
    assert [(one.member, one.hit.distance_bits) for one in far] == [
        (3, 10),
        (6, 10),
        (1, 11),
        (4, 11),
        (7, 11),
    ]
    assert decide(far).outcome == "review"
    few = mirrored([row(key, 10) for key in range(1, 6)], record).search(QUERY)
    assert not few.truncated
    assert decide(few).outcome == "publish"
    block = mirrored([row(key, 10) for key in range(1, 9)], {1: Bank("b", "block", enabled=True)})
    assert decide(block.search(QUERY)).outcome == "block"
    asleep = mirrored([row(key, 4, paused_until=FOR_EVER_S) for key in range(1, 9)], record)
    assert (asleep.search(QUERY), asleep.search(QUERY).truncated) == ([], True)
    assert decide(asleep.search(QUERY)).outcome == "review", "eight hide what may be behind them"


def test_of_many_like_embeddings_too_the_nearest_count() -> None:
    rng = np.random.default_rng(7)
    asked = rng.integers(-90, 90, 512).astype(np.int8)
    catalog = Catalog()
    for key in range(20):
        near = asked.copy()
        near[: 8 * key] = 0
        catalog.put(Entry(key, b"", None, 0, near.tobytes()))
    query = Query(b"", (), 0, asked.tobytes())
    assert len(catalog.search(query)) == 20
    some = catalog.search(query, most=4)
    assert ([hit.key for hit in some], some.truncated) == ([0, 1, 2, 3], True)
    assert not catalog.search(query, most=20).truncated
    both = catalog.search(Query(b"", (bytes(32),), 100, asked.tobytes()), most=20)
    assert not both.truncated


def test_a_clip_is_weighed_whole_however_many_of_its_frames_are_near() -> None:
    """The limit counts entries, not frames."""
    frames = tuple(Frame(at / 2, Pdq(bytes(32), 100)) for at in range(40))
    catalog = Catalog()
    catalog.put(Entry(1, b"", None, 0, None, frames=frames))
    query = Query(b"", (), 0, None, frames=frames)
    assert catalog.search(query, most=6) == catalog.search(query)
    assert not catalog.search(query, most=6).truncated


def test_same_picture_is_each_bank_s_own_word() -> None:
    strict = Bank("strict", "block", enabled=True, thresholds={"pdq_same_bits": 2})
    mirror = mirrored(
        [row(1, 5), row(2, 9, bank=2)], {1: strict, 2: Bank("b", "block", enabled=True)}
    )
    seen = {one.member: one.hit.verdict.value for one in mirror.search(QUERY)}
    assert seen == {1: "edited_copy", 2: "same_picture"}
    assert [one.member for one in mirror.search(QUERY)] == [2, 1], "best first, as judged"


def test_nobody_matches_an_expired_member_although_nobody_tells_the_mirror(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank = {1: Bank("a", "block", enabled=True)}
    until = row(1, 0, expires_at=1_000.0)
    mirror = mirrored(
        [until, row(2, 0, paused_until=2_000.0), row(3, 0, expires_at=FOR_EVER_S)], bank
    )
    seen = []
    for now_s in (999.0, 1_000.0, 2_000.0):
        monkeypatch.setattr(time, "time", lambda now_s=now_s: now_s)
        seen.append([one.member for one in mirror.search(QUERY)])
    assert seen == [[1, 3], [3], [2, 3]]


def test_a_bank_or_source_that_is_trusted_anew_must_be_read_again() -> None:
    plain, trusted = (
        Bank("a", "block", enabled=True),
        Bank("a", "block", enabled=True, trusted=True),
    )
    mirror = mirrored([], {1: plain})
    assert mirror.stale({1: trusted}, {}) == {1}
    assert mirror.stale({}, {(1, "x"): Source(trusted=True, thresholds={})}) == {1}
    assert mirror.stale({}, {(1, "x"): Source(trusted=False, thresholds={})}) == set()
    mirror.finish({}, 2, {(1, "x"): Source(trusted=True, thresholds={})})
    assert mirror.stale({}, {(1, "x"): Source(trusted=False, thresholds={})}) == {1}
    assert mirror.stale({1: plain}, {}) == set()


def test_thresholds_nobody_checked_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody wrote them with psql: the service goes on with the usual ones, and says so."""
    mirror = mirrored([row(1, 20)], {1: Bank("a", "block", enabled=True, thresholds={"x": 1})})
    assert [one.member for one in mirror.search(QUERY)] == [1]
    assert "the usual thresholds are used" in caplog.text


def test_a_hold_comes_and_goes() -> None:
    mirror = mirrored([row(1, 20, held="flood")], {1: Bank("a", "block", enabled=True)})
    assert decide(mirror.search(QUERY)).outcome == "review"
    mirror.apply([row(1, 20)], {1})
    assert decide(mirror.search(QUERY)).outcome == "block"
