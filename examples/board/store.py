"""Where the board keeps things: one SQLite file and one folder of pictures."""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

type State = Literal["held", "published", "refused", "restricted", "removed"]

_TABLES = """
CREATE TABLE IF NOT EXISTS post (
    id TEXT PRIMARY KEY,
    caption TEXT NOT NULL,
    account TEXT NOT NULL,
    label TEXT NOT NULL,               -- the file's name, told to the match service
    mime TEXT NOT NULL,
    created_at REAL NOT NULL,          -- all times: Unix seconds
    state TEXT NOT NULL DEFAULT 'held',
    why TEXT NOT NULL DEFAULT '{}',    -- JSON: why it is held, refused or removed
    check_id INTEGER,                  -- the check that allowed it
    registered INTEGER NOT NULL DEFAULT 0,
    next_try_at REAL NOT NULL,
    removed_at REAL
);
CREATE TABLE IF NOT EXISTS mark (post_id TEXT PRIMARY KEY, words TEXT NOT NULL);  -- shown beside it
CREATE TABLE IF NOT EXISTS delivery (id TEXT PRIMARY KEY, body_digest BLOB NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS act (idempotency_key TEXT PRIMARY KEY, answer TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Post:
    """One upload. `why` holds code, words and appeal_url where it is not published.

    mark   what an order wants written beside it, such as that AI may have made it
    """

    id: str
    caption: str
    account: str
    label: str
    mime: str
    created_at: float
    state: State
    why: dict[str, object]
    check_id: int | None
    registered: bool
    removed_at: float | None
    mark: str = ""


class Store:
    """Rows and pictures. A picture is a file only while its post is held or published."""

    def __init__(self, home: Path) -> None:
        self._pictures = home / "pictures"
        self._pictures.mkdir(parents=True, exist_ok=True)
        # Autocommit: every statement stands alone, and transaction() joins several.
        self._db = sqlite3.connect(home / "board.sqlite3", isolation_level=None, timeout=5)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it, or none; one at a time across processes."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- posts

    def hold(
        self, picture: bytes, *, caption: str, account: str, label: str, mime: str, now: float
    ) -> Post:
        """Keep an upload, unpublished. It is tried again after a minute if nobody settles it."""
        post_id = secrets.token_hex(8)
        self._path(post_id).write_bytes(picture)
        self._db.execute(
            "INSERT INTO post (id, caption, account, label, mime, created_at, next_try_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (post_id, caption, account, label, mime, now, now + 60),
        )
        return self._known(post_id)

    def still_held(self, post_id: str, why: Mapping[str, object], *, next_try_at: float) -> None:
        """It stays unpublished for the reason given, until it is tried again."""
        self._db.execute(
            "UPDATE post SET why = ?, next_try_at = ? WHERE id = ? AND state = 'held'",
            (json.dumps(why), next_try_at, post_id),
        )

    def publish(self, post_id: str, check: int) -> None:
        """Show it. Nothing happens if it was removed meanwhile."""
        self._db.execute(
            "UPDATE post SET state = 'published', why = '{}', check_id = ? WHERE id = ? AND state = 'held'",
            (check, post_id),
        )

    def refuse(self, post_id: str, why: Mapping[str, object]) -> None:
        """Forget the picture and keep the reason."""
        self._db.execute(
            "UPDATE post SET state = 'refused', why = ? WHERE id = ? AND state = 'held'",
            (json.dumps(why), post_id),
        )
        self._path(post_id).unlink(missing_ok=True)

    def registered(self, post_id: str) -> None:
        """The match service knows where it is."""
        self._db.execute("UPDATE post SET registered = 1 WHERE id = ?", (post_id,))

    def check_again(self, post_id: str) -> None:
        """Its check is forgotten: out of sight until there is a new one."""
        self._db.execute(
            "UPDATE post SET state = 'held', next_try_at = 0 WHERE id = ? AND state = 'published'",
            (post_id,),
        )

    def remove(self, post_id: str, why: Mapping[str, object], now: float) -> float | None:
        """Take it down for good; when it was taken down, or None if there is no such post."""
        if self.find(post_id) is None:
            return None
        self._path(post_id).unlink(missing_ok=True)
        self._db.execute(
            "UPDATE post SET state = 'removed', why = ?, removed_at = ?"
            " WHERE id = ? AND state <> 'removed'",
            (json.dumps(why), now, post_id),
        )
        post = self.find(post_id)
        return post.removed_at if post else None

    def restrict(self, post_id: str, why: Mapping[str, object]) -> bool:
        """Show it to nobody for now, and keep the picture; False if there is no such post."""
        self._db.execute(
            "UPDATE post SET state = 'restricted', why = ?"
            " WHERE id = ? AND state IN ('held', 'published')",
            (json.dumps(why), post_id),
        )
        return self.find(post_id) is not None

    def mark(self, post_id: str, words: str) -> bool:
        """Show these words beside it from now on; False where there is no picture any more."""
        post = self.find(post_id)
        if post is None or post.state not in ("held", "published", "restricted"):
            return False
        self._db.execute(
            "INSERT OR REPLACE INTO mark (post_id, words) VALUES (?, ?)", (post_id, words)
        )
        return True

    def restore(self, post_id: str) -> bool:
        """Show what was restricted again, without a mark; False where there is no picture any more."""
        self._db.execute("DELETE FROM mark WHERE post_id = ?", (post_id,))
        self._db.execute(
            "UPDATE post SET state = 'published', why = '{}' WHERE id = ? AND state = 'restricted'",
            (post_id,),
        )
        post = self.find(post_id)
        return post is not None and post.state == "published"

    def find(self, post_id: str) -> Post | None:
        """The post of that id, in any state."""
        found = self._posts("WHERE id = ?", post_id)
        return found[0] if found else None

    def latest(self, limit: int = 60) -> list[Post]:
        """What visitors see, the newest first."""
        return self._posts("WHERE state = 'published' ORDER BY created_at DESC LIMIT ?", limit)

    def to_settle(self, now: float) -> list[Post]:
        """Held posts whose time has come."""
        return self._posts(
            "WHERE state = 'held' AND next_try_at <= ? ORDER BY next_try_at LIMIT 20", now
        )

    def to_register(self) -> list[Post]:
        """Published posts that the match service has not heard of."""
        return self._posts("WHERE state = 'published' AND NOT registered LIMIT 20")

    def picture(self, post: Post) -> bytes | None:
        """The file, or None when it is gone."""
        try:
            return self._path(post.id).read_bytes()
        except FileNotFoundError:
            return None

    # --- what Haechi sent

    def delivery(self, delivery_id: str) -> tuple[bytes, dict[str, object]] | None:
        """Digest of the body and answer of a delivery that was seen before."""
        row = self._db.execute("SELECT * FROM delivery WHERE id = ?", (delivery_id,)).fetchone()
        return None if row is None else (row["body_digest"], json.loads(row["answer"]))

    def remember_delivery(self, delivery_id: str, digest: bytes, answer: dict[str, object]) -> None:
        """So that the same message is answered the same and not acted on again."""
        self._db.execute(
            "INSERT INTO delivery VALUES (?, ?, ?)", (delivery_id, digest, json.dumps(answer))
        )

    def act(self, key: str) -> dict[str, object] | None:
        """The answer to an act that was done before."""
        row = self._db.execute(
            "SELECT answer FROM act WHERE idempotency_key = ?", (key,)
        ).fetchone()
        return None if row is None else json.loads(row["answer"])

    def remember_act(self, key: str, answer: dict[str, object]) -> None:
        """So that the act is done once, however often it is asked for."""
        self._db.execute("INSERT INTO act VALUES (?, ?)", (key, json.dumps(answer)))

    def _path(self, post_id: str) -> Path:
        # Ids are made by hold(); one that came in an address must not lead elsewhere.
        return self._pictures / "".join(sign for sign in post_id if sign in "0123456789abcdef")

    def _known(self, post_id: str) -> Post:
        return self._posts("WHERE id = ?", post_id)[0]

    def _posts(self, where: str, *values: object) -> list[Post]:
        columns = "id, caption, account, label, mime, created_at, state, why, check_id, registered, removed_at"
        columns += ", coalesce((SELECT words FROM mark WHERE post_id = post.id), '') AS mark"
        rows = self._db.execute(f"SELECT {columns} FROM post {where}", values)  # noqa: S608 - our own text
        return [
            Post(
                **{
                    **dict(row),
                    "why": json.loads(row["why"]),
                    "registered": bool(row["registered"]),
                }
            )
            for row in rows
        ]
