"""What a check keeps of a veto, and what an answer may tell of a member."""

import pytest
from tests.unit.match_house import DIGEST_KEY, Database

from haechi import fingerprint, index
from haechi.index import Hit
from haechi.match_service.config import Settings
from haechi.match_service.decide import Bank, Found, decide
from haechi.match_service.intake import Asked
from haechi.match_service.store import Store, Verdict

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


def found(member: int, policy: str, bits: int) -> Found:
    hit = Hit(member, index.Verdict.SAME_PICTURE, bits, None, 0, "pdq")
    return Found(member, Bank(policy, policy, enabled=True), hit)  # type: ignore[arg-type]


async def test_a_check_keeps_the_veto_and_an_answer_tells_what_is_beside_a_member(
    database: Database, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    listed = database.member(database.bank(), fingerprinted)
    harmless = database.member(database.bank("benign"), fingerprinted)
    database.run(
        "UPDATE matching_member SET source = 'ring', note = 'n', case_number = 7,"
        ' metadata = \'{"tags": ["a"]}\' WHERE id = %s',
        listed,
    )
    platform = database.number("SELECT id FROM matching_platform")
    store = Store(Settings(database.url, DIGEST_KEY))
    await store.open()
    try:
        decision = decide([found(listed, "block", 9), found(harmless, "benign", 1)])
        given = Verdict(Asked.picture(fingerprinted), decision)
        [written] = await store.write_checks(platform, [given])
        told = await store.told([listed, harmless, 99])
        assert await store.told([]) == {}
    finally:
        await store.close()
    assert database.run(
        "SELECT outcome, member_id, veto_id FROM matching_check WHERE id = %s", written.check
    ) == [("publish", listed, harmless)]
    assert written.appeal_token is None
    assert set(told) == {listed, harmless}
    answer = told[listed].answer(staff=True)
    assert (answer["source"], answer["note"], answer["case"]) == ("ring", "n", 7)
    assert answer["metadata"] == {"tags": ["a"]}
    assert "case" not in told[listed].answer(staff=False), "a platform does not learn of cases"
