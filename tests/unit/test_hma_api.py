"""HMA's API as its clients use it, and what HMA gets wrong (issue 3), on a real PostgreSQL."""

import hashlib
import io
import json
import time
from collections.abc import Callable

import httpx
import pytest
from PIL import Image
from tests.unit.match_house import DIGEST_KEY, KEY, Database, jpeg, running, shipped, until

from haechi import fingerprint
from haechi.match_service.app import create_app
from haechi.match_service.config import Settings
from haechi.media import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

SAMPLE = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
OTHER = "62c9789627838f69f23cf98c29e37836d61c87c31c59587c4b49a783f496725c"
MD5 = "cab08b36195edb1a1231d2d09fa450e0"
READER_KEY = "key-of-a-platform-that-only-asks"


@pytest.fixture
def curated(database: Database) -> Database:
    """The board may curate, another platform may not."""
    database.let_curate()
    database.platform(READER_KEY, "reader")
    return database


async def make_bank(client: httpx.AsyncClient, name: str, **more: object) -> None:
    response = await client.post("/c/banks", json={"name": name, **more})
    assert response.status_code == 201, response.text


async def put(client: httpx.AsyncClient, bank: str, content: bytes, **fields: str) -> int:
    response = await client.post(
        f"/c/bank/{bank}/content", files={"photo": ("a.jpg", content, "image/jpeg")}, data=fields
    )
    assert response.status_code == 200, response.text
    return int(response.json()["id"])


async def tell(client: httpx.AsyncClient, bank: str, **signals: str) -> int:
    response = await client.post(f"/c/bank/{bank}/signal", json=signals)
    assert response.status_code == 200, response.text
    return int(response.json()["id"])


async def raw(client: httpx.AsyncClient, signal: str = SAMPLE, **more: object) -> list[object]:
    asked = {"signal": signal, "signal_type": "pdq", **more}
    response = await client.get("/m/raw_lookup", params=asked)  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    return list(response.json()["matches"])


async def becomes(
    client: httpx.AsyncClient, expected: list[object], signal: str = SAMPLE, **more: object
) -> None:
    """A change is in force within a second."""

    async def so() -> bool:
        return await raw(client, signal, **more) == expected

    await until(so)


async def look_up(client: httpx.AsyncClient, content: bytes, **params: str) -> object:
    response = await client.post("/m/lookup", files={"photo": content}, params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def up_to_date(client: httpx.AsyncClient) -> bool:
    """A member can be met a moment before all that came with it is in force."""
    return not (await client.get("/c/signal_type/index")).json()["pdq"]["index_out_of_date"]


def refusal(response: httpx.Response) -> tuple[int, str]:
    assert set(response.json()) == {"message"}, response.text
    return response.status_code, response.json()["message"]


# --- what HMA's own API tests ask


async def test_banks_are_made_shown_changed_and_deleted(
    curated: Database, sandbox: Sandbox
) -> None:
    async with running(curated, sandbox) as client:
        assert (await client.get("/c/banks")).json() == []
        for name in ("01_TEST_BANK", "my_test_bank", "", "A B", "A" * 81):
            assert refusal(await client.post("/c/banks", json={"name": name}))[0] == 400
        made = await client.post("/c/banks", json={"name": "MY_BANK"})
        assert made.status_code == 201
        assert made.json() == {"name": "MY_BANK", "matching_enabled_ratio": 1.0}
        assert (await client.get("/c/banks")).json() == [made.json()]
        assert (await client.get("/c/bank/MY_BANK")).json() == made.json()
        again = await client.post("/c/banks", json={"name": "MY_BANK"})
        assert refusal(again) == (403, "Bank already exists")
        await make_bank(client, "TAKEN")

        async def change(bank: str, **body: object) -> httpx.Response:
            return await client.put(f"/c/bank/{bank}", json=body)

        assert refusal(await change("MY_BANK", name="1_invalid"))[0] == 400
        assert refusal(await change("MY_BANK", name="TAKEN"))[0] == 403
        assert refusal(await change("NO_BANK", name="X"))[0] == 404
        assert (await change("MY_BANK", name="RENAMED")).json()["name"] == "RENAMED"
        off = await change("RENAMED", enabled=False)
        assert off.json()["matching_enabled_ratio"] == 0
        half = await change("RENAMED", enabled_ratio=0.5)
        assert half.json() == {"name": "RENAMED", "matching_enabled_ratio": 0.5}
        assert refusal(await change("RENAMED", enabled_ratio=1.5))[0] == 400
        assert (await client.get("/c/bank/MY_BANK")).status_code == 404
        for _ in range(2):
            gone = await client.delete("/c/bank/RENAMED")
            assert (gone.status_code, gone.json()) == (200, {"message": "Done"})
        assert [bank["name"] for bank in (await client.get("/c/banks")).json()] == ["TAKEN"]


async def test_content_is_added_shown_changed_and_withdrawn(
    curated: Database, sandbox: Sandbox, photo: bytes
) -> None:
    metadata = {"content_id": "x-1", "content_uri": "https://e.example/1", "json": {"a": [1]}}
    async with running(curated, sandbox) as client:
        assert refusal(await client.get("/c/bank/B/content/1"))[0] == 404
        await make_bank(client, "B")
        assert refusal(await client.get("/c/bank/B/content/1"))[0] == 404
        added = await client.post(
            "/c/bank/B/content",
            files={"photo": photo},
            data={"note": "seen twice", "metadata": json.dumps(metadata | {"collab": {}})},
        )
        pdq = (await client.post("/h/hash", files={"photo": photo})).json()["pdq"]
        assert added.status_code == 200
        assert added.json() == {"id": added.json()["id"], "signals": {"pdq": pdq}}
        here = f"/c/bank/B/content/{added.json()['id']}"
        bank = {"name": "B", "matching_enabled_ratio": 1.0}
        plain = (await client.get(here, params={"include_metadata": "false"})).json()
        assert plain == {
            "id": added.json()["id"],
            "disable_until_ts": 1,
            "original_media_uri": None,
            "bank": bank,
            "note": "seen twice",
        }
        full = (await client.get(here, params={"include_signals": "true"})).json()
        assert full["signals"] == {"pdq": pdq}
        assert full["metadata"] == {"collab": None, **metadata}
        later = int(time.time()) + 86_400
        paused = (await client.put(here, json={"disable_until_ts": later})).json()
        assert paused["disable_until_ts"] == later
        assert paused["bank"] == bank
        assert paused["user_metadata"] == metadata
        await becomes(client, [], pdq)
        for wrong in (9_999_999_999, -1, "x", None, [1]):
            answer = await client.put(here, json={"disable_until_ts": wrong})
            assert refusal(answer)[0] == 400
        assert (await client.put(here, json={"note": "", "disable_until_ts": 1})).status_code == 200
        assert "note" not in (await client.get(here)).json()
        await becomes(client, [added.json()["id"]], pdq)
        off = await client.put(here, json={"disable_until_ts": 0})
        assert off.json()["disable_until_ts"] == 0
        await becomes(client, [], pdq)
        assert (await client.delete(here)).json() == {"deleted": 1}
        assert (await client.delete(here)).json() == {"deleted": 0}
        assert refusal(await client.get(here))[0] == 404


@pytest.mark.parametrize(
    "metadata",
    [
        '{"other": 1}',
        '{"content_id": 5}',
        "[]",
        "{",
        '{"json": {"a": NaN}}',
        '{"json": "x"}',
        '{"content_id": "\\u0000"}',
        '{"content_id": "\\ud800"}',
        "[" * 9_000,
    ],
)
async def test_metadata_of_another_form_is_refused(
    curated: Database, sandbox: Sandbox, photo: bytes, metadata: str
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        answer = await client.post(
            "/c/bank/B/content", files={"photo": photo}, data={"metadata": metadata}
        )
        assert refusal(answer)[0] == 400
        long = await client.post(
            "/c/bank/B/content", files={"photo": photo}, data={"note": "x" * 256}
        )
        assert refusal(long)[0] == 400
    assert curated.number("SELECT count(*) FROM matching_member") == 0


async def test_lookups_answer_by_bank_with_distances_as_text(
    curated: Database, sandbox: Sandbox
) -> None:
    near = f"{int(SAMPLE, 16) ^ 0b10111:064x}"
    async with running(curated, sandbox) as client:
        ids = {}
        for bank in ("BANK_A", "BANK_B", "BANK_C"):
            await make_bank(client, bank)
            ids[bank] = await tell(client, bank, pdq=SAMPLE)
        await becomes(client, sorted(ids.values()))
        assert await raw(client, OTHER) == []
        assert await raw(client, banks="BANK_A") == [ids["BANK_A"]]
        assert await raw(client, banks="BANK_A,BANK_B") == [ids["BANK_A"], ids["BANK_B"]]
        assert await raw(client, banks="NO_BANK") == []
        assert await raw(client, near, include_distance=True, banks="BANK_B") == [
            {"bank_content_id": ids["BANK_B"], "distance": "4"}
        ]
        params = {"signal": near, "signal_type": "pdq"}
        found = (await client.get("/m/lookup", params=params)).json()
        assert found == {
            bank: [{"bank_content_id": number, "distance": "4"}] for bank, number in ids.items()
        }
        some = await client.get("/m/lookup", params={**params, "banks": "BANK_A,BANK_C"})
        assert set(some.json()) == {"BANK_A", "BANK_C"}
        assert (await client.get("/m/lookup", params={**params, "banks": "NO"})).json() == {}
        status = (await client.get("/m/index/status")).json()
        assert status["pdq"]["present"] is True
        assert status["pdq"]["size"] == 3
        assert abs(status["pdq"]["built_to"] - time.time()) < 5
        await until(lambda: up_to_date(client))
        index = (await client.get("/c/signal_type/index")).json()["pdq"]
        assert (index["db_size"], index["index_size"], index["index_out_of_date"]) == (3, 3, False)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/m/raw_lookup?signal_type=pdq", 422),
        (f"/m/raw_lookup?signal={SAMPLE}", 422),
        (f"/m/raw_lookup?signal={SAMPLE}&signal_type=pdq&include_distance=perhaps", 422),
        (f"/m/raw_lookup?signal={SAMPLE}&signal_type=tmk", 400),
        ("/m/raw_lookup?signal=banana&signal_type=pdq", 400),
        ("/m/raw_lookup?signal=&signal_type=pdq", 400),
        (f"/m/lookup?signal={SAMPLE}", 400),
        ("/m/lookup", 400),
        ("/m/index/status?signal_type=tmk", 400),
        ("/c/signal_type/index?signal_type=tmk", 400),
        ("/c/bank/NO%00PE", 400),
        ("/c/bank/B/content/99999999999999999999", 404),
        ("/h/hash", 422),
    ],
)
async def test_wrong_questions_get_hmas_codes(
    curated: Database, sandbox: Sandbox, path: str, status: int
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        response = await client.get(path)
        assert response.status_code == status, response.text
        assert isinstance(response.json(), list) == (status == 422)


async def test_hashes_are_compared(curated: Database, sandbox: Sandbox) -> None:
    one = "facd8bcb2a49bcebdec1985298d5fe84bcd006c187c598c720c3c087b3fdb318"
    two = "facd8bcb2a49bcebdec1985228d5ae84bcd006c187c598c720c2b087b3fdb318"
    async with running(curated, sandbox) as client:

        async def compare(body: object) -> httpx.Response:
            return await client.post("/m/compare", json=body)

        both = await compare({"pdq": [one, two], "video_md5": [MD5, MD5.upper()]})
        assert both.json() == {"pdq": [True, {"distance": 9}], "video_md5": [True, {}]}
        assert (await compare({"pdq": [one, SAMPLE]})).json()["pdq"][0] is False
        wrong = [["banana"], {"pdq": "banana"}, {"pdq": []}, {"pdq": ["banana", "banana"]}]
        for body in [*wrong, {"pdq": [one, two, one]}, {"pdq": [1, 2]}, {"tmk": [one, two]}]:
            assert refusal(await compare(body))[0] == 400


async def test_types_and_status_are_told(curated: Database, sandbox: Sandbox) -> None:
    async with running(curated, sandbox) as client:
        assert (await client.get("/c/content_type")).json() == [
            {"name": "photo", "enabled": True},
            {"name": "video", "enabled": True},
        ]
        assert (await client.get("/c/signal_type")).json() == [
            {"name": "pdq", "enabled_ratio": 1.0},
            {"name": "video_md5", "enabled_ratio": 1.0},
        ]
        on = await client.put("/c/signal_type/pdq", json={"enabled_ratio": 1.0})
        assert on.status_code == 204
        off = await client.put("/c/signal_type/pdq", json={"enabled_ratio": 0.0})
        assert refusal(off)[0] == 400
        assert refusal(await client.put("/c/signal_type/tmk", json={}))[0] == 404
        assert (await client.get("/c/exchanges")).json() == []
        for path in ("/status", "/status/live"):
            alive = await client.get(path, headers={"Authorization": ""})
            assert (alive.status_code, alive.text) == (200, "I-AM-ALIVE")
        home = await client.get("/")
        assert (home.status_code, home.headers["location"]) == (302, "/status")


async def test_status_tells_what_is_not_loaded(sandbox: Sandbox) -> None:
    settings = Settings("postgresql://127.0.0.1:1/none", DIGEST_KEY, hma=True, hma_open=True)
    app = create_app(settings, sandbox=sandbox)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://match.test") as client,
    ):
        status = await client.get("/status")
        assert (status.status_code, status.text) == (503, "INDEX-NOT-LOADED")
        assert (await client.get("/status/live")).text == "I-AM-ALIVE"
        asked = {"signal": SAMPLE, "signal_type": "pdq"}
        assert refusal(await client.get("/m/raw_lookup", params=asked))[0] == 503
        assert (await client.get("/m/index/status")).json()["pdq"] == {
            "present": False,
            "built_to": -1,
            "size": 0,
        }


async def test_a_video_is_met_by_its_md5(curated: Database, sandbox: Sandbox) -> None:
    video = b"\0\0\0\x18ftypisom" + bytes(500)
    md5 = hashlib.md5(video).hexdigest()  # noqa: S324
    async with running(curated, sandbox) as client:
        hashed = await client.post("/h/hash", files={"video": video})
        assert (hashed.status_code, hashed.json()) == (200, {"video_md5": md5})
        await make_bank(client, "B")
        added = await client.post("/c/bank/B/content", files={"video": video})
        told = await tell(client, "B", video_md5=MD5)

        async def met() -> bool:
            found = await client.post("/m/lookup", files={"video": video})
            match = {"bank_content_id": added.json()["id"], "distance": "-"}
            return found.json() == {"video_md5": {"B": [match]}}  # type: ignore[no-any-return]

        await until(met)
        await becomes(client, [told], MD5, signal_type="video_md5")
        assert (await client.get("/m/index/status")).json()["video_md5"]["size"] == 2
        assert (await client.delete(f"/c/bank/B/content/{told}")).json() == {"deleted": 1}
        await becomes(client, [], MD5, signal_type="video_md5")


# --- what HMA gets wrong


@pytest.mark.parametrize("copies", [1, 2, 4, 8])
async def test_one_member_and_any_power_of_two_of_equal_members_match(
    curated: Database, sandbox: Sandbox, copies: int
) -> None:
    async with running(curated, sandbox) as client:
        ids = []
        for number in range(copies):
            await make_bank(client, f"B_{number}")
            ids.append(await tell(client, f"B_{number}", pdq=SAMPLE))
        assert len(set(ids)) == copies
        await becomes(client, sorted(ids))


async def test_the_same_again_is_the_same_content(
    curated: Database, sandbox: Sandbox, photo: bytes
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        first = await put(client, "B", photo, note="first")
        assert await put(client, "B", photo) == first
        told = await tell(client, "B", pdq=SAMPLE)
        assert await tell(client, "B", pdq=SAMPLE) == told
        assert await tell(client, "B", pdq=OTHER) not in (first, told)
        assert (await client.get(f"/c/bank/B/content/{first}")).json()["note"] == "first"
    assert curated.number("SELECT count(*) FROM matching_member") == 3


def by_a_person(database: Database, member: int, verdict: str = "false_positive") -> None:
    """What the desk writes of a judgement."""
    status = "withdrawn" if verdict == "false_positive" else "confirmed"
    database.run("UPDATE matching_member SET status = %s WHERE id = %s", status, member)
    database.run(
        "INSERT INTO matching_opinion (member_id, verdict) VALUES (%s, %s)", member, verdict
    )


async def test_adding_brings_nothing_back_that_a_person_withdrew(
    curated: Database, sandbox: Sandbox, photo: bytes
) -> None:
    """The client is answered as for any addition. Not as a file, and not by its hash alone."""
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        file = await put(client, "B", photo)
        told = await tell(client, "B", pdq=SAMPLE)
        other = await tell(client, "B", pdq=OTHER)
        by_a_person(curated, file)
        by_a_person(curated, told)
        assert await put(client, "B", photo, note="again") == file
        assert await tell(client, "B", pdq=SAMPLE) == told
        hashed = (await client.post("/h/hash", files={"photo": photo})).json()["pdq"]
        alone = await tell(client, "B", pdq=hashed)
        states = dict(curated.run("SELECT id, status FROM matching_member"))
        assert states == {
            file: "withdrawn",
            told: "withdrawn",
            other: "confirmed",
            alone: "withdrawn",
        }
        assert refusal(await client.get(f"/c/bank/B/content/{file}"))[0] == 404
        await make_bank(client, "ANOTHER")
        elsewhere = await tell(client, "ANOTHER", pdq=SAMPLE)
        await becomes(client, [elsewhere])


async def test_what_a_client_withdrew_or_a_person_confirmed_again_may_come_back(
    curated: Database, sandbox: Sandbox
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        member = await tell(client, "B", pdq=SAMPLE)
        by_a_person(curated, member)
        by_a_person(curated, member, "true_positive")
        assert (await client.delete(f"/c/bank/B/content/{member}")).json() == {"deleted": 1}
        await becomes(client, [])
        assert await tell(client, "B", pdq=SAMPLE) == member
        await becomes(client, [member])


def palette(picture: Image.Image) -> bytes:
    return saved(picture.quantize(256), "PNG")


def gif(picture: Image.Image) -> bytes:
    return saved(picture.quantize(256), "GIF")


def cmyk(picture: Image.Image) -> bytes:
    return saved(picture.convert("CMYK"), "JPEG")


def exif_turned(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    return saved(picture.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


def saved(picture: Image.Image, form: str, **more: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **more)
    return out.getvalue()


@pytest.mark.parametrize("copy", [palette, gif, cmyk, exif_turned])
async def test_every_way_to_store_a_picture_matches_its_original(
    curated: Database, sandbox: Sandbox, photo: bytes, copy: Callable[[Image.Image], bytes]
) -> None:
    content = copy(shipped("astronaut.png").resize((400, 400)))
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        member = await put(client, "B", photo)
        pdq = (await client.post("/h/hash", files={"photo": photo})).json()["pdq"]
        await becomes(client, [member], pdq)
        found = await look_up(client, content)
        other = await look_up(client, jpeg(shipped("chelsea.png")))
        hashed = (await client.post("/h/hash", files={"photo": content})).json()["pdq"]
    assert isinstance(found, dict)
    [match] = found["pdq"]["B"]
    assert match["bank_content_id"] == member
    assert int(match["distance"]) <= 16
    upright = (int(hashed, 16) ^ int(pdq, 16)).bit_count()
    assert str(upright) == match["distance"], "it is shown turned, so it needs no turning to match"
    assert other == {"pdq": {}}


async def test_a_disabled_bank_is_made_disabled(curated: Database, sandbox: Sandbox) -> None:
    async with running(curated, sandbox) as client:
        made = await client.post("/c/banks", json={"name": "OFF", "enabled": False})
        assert made.json() == {"name": "OFF", "matching_enabled_ratio": 0.0}
        await make_bank(client, "ON", enabled=True)
        await tell(client, "OFF", pdq=SAMPLE)
        on = await tell(client, "ON", pdq=SAMPLE)
        await becomes(client, [on])
        assert (await client.put("/c/bank/OFF", json={"enabled": True})).status_code == 200

        async def both() -> bool:
            return len(await raw(client)) == 2

        await until(both)
        assert (await client.put("/c/bank/ON", json={"enabled": False})).status_code == 200

        async def one() -> bool:
            return on not in await raw(client)

        await until(one)


async def test_a_ratio_answers_its_share_and_a_seed_answers_the_same(
    curated: Database, sandbox: Sandbox
) -> None:
    params = {"signal": SAMPLE, "signal_type": "pdq"}
    async with running(curated, sandbox) as client:
        await make_bank(client, "B", enabled_ratio=0.3)
        await becomes(client, [await tell(client, "B", pdq=SAMPLE)])

        async def answered(**more: str) -> bool:
            return bool((await client.get("/m/lookup", params={**params, **more})).json())

        drawn = [await answered(seed=str(seed)) for seed in range(60)]
        assert 5 <= sum(drawn) <= 31
        assert drawn == [await answered(seed=str(seed)) for seed in range(60)]
        refused = str(drawn.index(False))
        assert await answered(seed=refused, bypass_coinflip="true")


async def test_content_is_touched_only_through_its_own_bank(
    curated: Database, sandbox: Sandbox
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "A")
        await make_bank(client, "B")
        member = await tell(client, "A", pdq=SAMPLE)
        await becomes(client, [member])
        there = f"/c/bank/B/content/{member}"
        assert refusal(await client.get(there))[0] == 404
        assert refusal(await client.put(there, json={"disable_until_ts": 0}))[0] == 404
        assert refusal(await client.put(there, json={"note": "mine"}))[0] == 404
        assert (await client.delete(there)).json() == {"deleted": 0}
        here = (await client.get(f"/c/bank/A/content/{member}")).json()
        assert (here["disable_until_ts"], here.get("note")) == (1, None)
        await becomes(client, [member])


@pytest.mark.parametrize("path", ["/h/hash", "/m/lookup", "/c/bank/B/content"])
async def test_what_is_no_picture_is_refused(
    curated: Database, sandbox: Sandbox, photo: bytes, path: str
) -> None:
    async with running(curated, sandbox, limit_bytes=200_000) as client:
        await make_bank(client, "B")

        async def send(**more: object) -> int:
            return refusal(await client.post(path, **more))[0]  # type: ignore[arg-type]

        assert await send(files={"photo": b"a letter, not a picture" * 9}) == 400
        assert await send(files={"video": b"a letter, not a video" * 9}) == 400
        assert await send(files={"photo": b""}) == 400
        assert await send(files={"photo": photo[: len(photo) // 3]}) == 400
        assert await send(files={"photo": photo + bytes(200_000)}) == 413
        assert await send(files={"photo": photo + bytes(3_000_000)}) == 413
        assert await send(files={"file": photo}) == 400
        assert await send(files=[("photo", photo), ("photo", photo)]) == 400
        assert await send(files=[("photo", photo)] * 4) == 400
        assert await send(data={"photo": "text"}, files={}) == 400
        assert await send(content=photo) == 400
        assert await send(content=b"x", headers={"Content-Type": "multipart/form-data"}) == 400
        broken = {"Content-Type": "multipart/form-data; boundary=b"}
        assert await send(content=b"--b\r\nnonsense", headers=broken) == 400
        assert await send(files={"photo": photo}, params={"types": "tmk"}) == 400
        assert await send(files={"photo": photo}, params={"types": ""}) == 400
    assert curated.number("SELECT count(*) FROM matching_member") == 0


async def test_a_picture_without_detail_has_no_hash_and_meets_only_itself(
    curated: Database, sandbox: Sandbox
) -> None:
    grey = saved(Image.new("RGB", (200, 200), (90, 90, 90)), "PNG")
    lighter = saved(Image.new("RGB", (200, 200), (99, 99, 99)), "PNG")
    async with running(curated, sandbox) as client:
        assert (await client.post("/h/hash", files={"photo": grey})).json() == {"pdq": ""}
        await make_bank(client, "B")
        member = await put(client, "B", grey)

        async def met() -> bool:
            found = await look_up(client, grey)
            match = {"bank_content_id": member, "distance": "0"}
            return found == {"pdq": {"B": [match]}}

        await until(met)
        assert await look_up(client, lighter) == {"pdq": {}}
        told = await client.post("/c/bank/B/signal", json={"pdq": ""})
        assert refusal(told)[0] == 400


async def test_withdrawn_content_and_deleted_banks_match_no_more_and_stay_on_record(
    curated: Database, sandbox: Sandbox
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "A")
        await make_bank(client, "B")
        a, b = await tell(client, "A", pdq=SAMPLE), await tell(client, "B", pdq=SAMPLE)
        await becomes(client, [a, b])
        assert (await client.delete(f"/c/bank/A/content/{a}")).json() == {"deleted": 1}
        await becomes(client, [b])
        assert (await client.delete("/c/bank/B")).status_code == 200
        await becomes(client, [])
        assert refusal(await client.get(f"/c/bank/B/content/{b}"))[0] == 404
        await make_bank(client, "B")
        assert await raw(client) == []
        again = await tell(client, "B", pdq=SAMPLE)
        assert again != b
        assert await tell(client, "A", pdq=SAMPLE) == a
        await becomes(client, [a, again])
        assert (await client.delete("/c/bank/B")).status_code == 200
    rows = curated.run("SELECT id, status FROM matching_member ORDER BY id")
    assert rows == [(a, "confirmed"), (b, "confirmed"), (again, "confirmed")]
    banks = curated.run("SELECT name, enabled, deleted_at IS NULL FROM matching_bank ORDER BY id")
    assert [row[1:] for row in banks] == [(True, True), (False, False), (False, False)]
    assert str(banks[1][0]).startswith("B deleted ")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/h/hash"),
        ("GET", "/m/lookup"),
        ("POST", "/c/bank/B/content"),
    ],
)
async def test_addresses_are_not_fetched(
    curated: Database, sandbox: Sandbox, method: str, path: str
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        asked = {"url": "http://127.0.0.1:1/inner.jpg", "content_type": "photo"}
        answer = await client.request(method, path, params=asked)
        assert refusal(answer) == (403, "This service fetches no addresses: send the file itself.")


# --- keys


async def test_a_key_is_asked_for_and_only_some_may_curate(
    curated: Database, sandbox: Sandbox
) -> None:
    writes = [
        ("POST", "/c/banks"),
        ("PUT", "/c/bank/B"),
        ("DELETE", "/c/bank/B"),
        ("POST", "/c/bank/B/content"),
        ("POST", "/c/bank/B/signal"),
        ("PUT", "/c/bank/B/content/1"),
        ("DELETE", "/c/bank/B/content/1"),
        ("PUT", "/c/signal_type/pdq"),
    ]
    reads = [("GET", "/c/banks"), ("GET", "/c/bank/B"), ("GET", "/m/index/status")]
    asks = [("POST", "/h/hash"), ("POST", "/m/lookup"), ("POST", "/m/compare")]
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        for method, path in [*writes, *reads, *asks]:
            answer = await client.request(method, path, headers={"Authorization": "Bearer no"})
            assert refusal(answer)[0] == 401, path
        reader = {"Authorization": f"Bearer {READER_KEY}"}
        for method, path in writes:
            answer = await client.request(method, path, headers=reader)
            assert refusal(answer) == (403, "This key may not change banks."), path
        for method, path in reads:
            assert (await client.request(method, path, headers=reader)).status_code == 200, path
        member = await tell(client, "B", pdq=SAMPLE)
    [row] = curated.run(
        "SELECT status, source, sha256, policy FROM matching_member JOIN matching_bank AS bank"
        " ON bank.id = bank_id WHERE matching_member.id = %s",
        member,
    )
    assert row == ("confirmed", "hma-api:board", None, "review")


@pytest.mark.parametrize(
    ("hma_open", "host", "status"),
    [
        (True, "127.0.0.1", 200),
        (True, "::1", 200),
        (True, "192.0.2.7", 401),
        (False, "127.0.0.1", 401),
    ],
)
async def test_without_a_key_only_from_here_and_only_if_told(
    curated: Database,
    sandbox: Sandbox,
    hma_open: bool,  # noqa: FBT001
    host: str,
    status: int,
) -> None:
    app = create_app(
        Settings(curated.url, DIGEST_KEY, hma=True, hma_open=hma_open), sandbox=sandbox
    )
    transport = httpx.ASGITransport(app, client=(host, 5))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://match.test") as client,
    ):
        assert (await client.get("/c/banks")).status_code == status
        own = await client.post("/v1/match", json={"pdq": SAMPLE, "pdq_quality": 100})
        assert own.status_code == 401, "the own API asks for a key always"
        wrong = await client.get("/c/banks", headers={"Authorization": "Bearer no"})
        assert wrong.status_code == 401


async def test_banks_of_the_desk_are_only_read(
    curated: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    """What people decided after reports is withdrawn where it is logged, not here."""
    bank = curated.number(
        "INSERT INTO matching_bank (name, policy) VALUES ('confirmed-by-us', 'block') RETURNING id"
    )
    member = curated.member(bank, fingerprinted)
    async with running(curated, sandbox) as client:
        here = "/c/bank/confirmed-by-us"
        assert (await client.get(here)).status_code == 200
        assert (await client.get(f"{here}/content/{member}")).status_code == 200
        assert await raw(client, fingerprinted.pdq.hex) == [member]
        for method, path in [
            ("PUT", here),
            ("DELETE", here),
            ("POST", f"{here}/signal"),
            ("POST", f"{here}/content"),
            ("PUT", f"{here}/content/{member}"),
            ("DELETE", f"{here}/content/{member}"),
        ]:
            assert refusal(await client.request(method, path, json={}))[0] == 403, path
        assert (await client.post("/c/banks", json={"name": "confirmed-by-us"})).status_code == 400
        assert KEY in client.headers["authorization"]


async def test_what_hma_banks_hold_is_met_by_the_own_api_too(
    curated: Database, sandbox: Sandbox, photo: bytes
) -> None:
    async with running(curated, sandbox) as client:
        await make_bank(client, "B")
        await put(client, "B", photo)
        await tell(client, "B", pdq=SAMPLE)

        async def held() -> bool:
            answer = (await client.post("/v1/match", content=photo)).json()
            return bool(answer["outcome"] == "review" and answer["verdict"] == "identical_file")

        await until(held)
        alone = {"pdq": OTHER, "pdq_quality": 100}
        unknown = (await client.post("/v1/match", json=alone)).json()
        assert unknown["outcome"] == "publish", "hashes without a file are no file to be equal to"
