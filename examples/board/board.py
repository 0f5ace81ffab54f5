"""What becomes of an upload: published, refused or held, and never forgotten."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import httpx
from examples.board.ask import CannotAsk, CheckForgotten, Gatekeeper, Unusable
from examples.board.fetch import Orders
from examples.board.settings import Settings
from examples.board.store import Post, Store

log = logging.getLogger(__name__)

REVIEW_RETRY_S = 60.0
WAITING = {
    "code": "board.held",
    "words": "The check that every picture passes cannot be reached at the moment.",
}
LOST = {"code": "board.picture_lost", "words": "The file is gone. Please send it again."}


class Board:
    """What the routes share."""

    def __init__(
        self,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None,
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.store = Store(settings.home)
        self.gatekeeper = Gatekeeper(settings, transport)
        self.orders = Orders(settings, transport)
        self.clock = clock

    async def settle(self, post: Post) -> Post:
        """Ask about a held picture: publish it, refuse it, or go on holding it. Raises Unusable.

        Fails closed: without a verdict nothing is shown.
        """
        picture = self.store.picture(post)
        if picture is None:
            self.store.refuse(post.id, LOST)
            return self._now(post)
        try:
            verdict = await self.gatekeeper.match(picture, post.label)
        except CannotAsk:
            again = self.clock() + self.settings.retry_s
            self.store.still_held(post.id, WAITING, next_try_at=again)
            return self._now(post)
        except Unusable as error:
            self.store.refuse(post.id, {"code": error.code, "words": error.words})
            raise
        why = {"code": verdict.code, "words": verdict.words, "appeal_url": verdict.appeal_url}
        if verdict.outcome == "publish":
            self.store.publish(post.id, verdict.check)
            await self.register(self._now(post))
        elif verdict.outcome == "block":
            self.store.refuse(post.id, why)
        else:
            self.store.still_held(post.id, why, next_try_at=self.clock() + REVIEW_RETRY_S)
        return self._now(post)

    async def register(self, post: Post) -> None:
        """Tell the match service where a published picture is; retried until it knows."""
        if post.state != "published" or post.check_id is None:
            return
        url = f"{self.settings.url}/post/{post.id}"
        try:
            await self.gatekeeper.published(
                post.id, url=url, account=post.account, check=post.check_id
            )
        except CheckForgotten:
            self.store.check_again(post.id)
        except (CannotAsk, Unusable):
            log.warning("post %s is published but not registered yet", post.id)
        else:
            self.store.registered(post.id)

    async def retry(self) -> None:
        """Look after what was left open, also by a process that was killed."""
        while True:
            try:
                for post in self.store.to_settle(self.clock()):
                    with suppress(Unusable):
                        await self.settle(post)
                for post in self.store.to_register():
                    await self.register(post)
            except Exception:
                log.exception("retry failed; trying again")
            await asyncio.sleep(min(1.0, self.settings.retry_s))

    def _now(self, post: Post) -> Post:
        return self.store.find(post.id) or post
