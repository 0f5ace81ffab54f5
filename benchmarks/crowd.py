"""Many people at a door at once: each loads the report form, all send it with a photograph together.

Reads one JSON object from standard input and prints one:
in: {"host", "port", "reports", "photos": [path, ...], "slow"}
out: {"form_s", "receipt_s", "look_s": [seconds, ...], "codes": [words, ...], "wrong": [what, ...]}

`slow` of them send one kilobyte a second or so until all others have their receipts, as somebody
does whose telephone has one bar; meanwhile one more person looks at the page with help, again and
again (`look_s`). Raw sockets and asyncio: a client library would take the cores it shares with the
server.
"""

import asyncio
import json
import re
import secrets
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

TOKENS = re.compile(r'name="(csrfmiddlewaretoken|submission)" value="([^"]+)"')
COOKIE = re.compile(r"^set-cookie: ([^;]+)", re.IGNORECASE | re.MULTILINE)
CODE = re.compile(r"data-code-words[^>]*>(.*?)</ol>", re.DOTALL)
WORD = re.compile(r"<li>(.*?)</li>")
BOUNDARY = "----crowd"
PIECE = 64 * 1024


@dataclass
class Crowd:
    """Everybody who came, and what happened to them."""

    host: str
    port: int
    photos: list[bytes]
    form_s: list[float] = field(default_factory=list)
    receipt_s: list[float] = field(default_factory=list)
    look_s: list[float] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    served: asyncio.Event = field(default_factory=asyncio.Event)

    async def come(self, reports: int, slow: int) -> None:
        """All of it."""
        forms = await asyncio.gather(*(self._form() for _ in range(reports + slow)))
        late = [asyncio.create_task(self._dawdle(form)) for form in forms[reports:]]
        looking = asyncio.create_task(self._look())
        sent = (self._report(number, form) for number, form in enumerate(forms[:reports]))
        await asyncio.gather(*sent)
        self.served.set()
        await asyncio.gather(looking, *late)

    async def _form(self) -> tuple[str, dict[str, str]]:
        begun = time.perf_counter()
        status, answer = await self._ask(b"GET /report HTTP/1.1\r\n")
        self.form_s.append(time.perf_counter() - begun)
        if status != 200:
            self.wrong.append(f"GET /report: {status}")
        return "; ".join(COOKIE.findall(answer)), dict(TOKENS.findall(answer))

    async def _report(self, number: int, form: tuple[str, dict[str, str]]) -> None:
        begun = time.perf_counter()
        status, answer = await self._ask(*self._post(number, form))
        self.receipt_s.append(time.perf_counter() - begun)
        found = CODE.search(answer)
        if status != 200 or found is None:
            self.wrong.append(f"POST /report: {status} {answer[-300:] if status != 200 else ''}")
            return
        self.codes.append(" ".join(WORD.findall(found[1])))

    async def _dawdle(self, form: tuple[str, dict[str, str]]) -> None:
        """Send a report slowly, and give up once all others have been served."""
        head, body = self._post(0, form)
        _, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(self._headed(head, len(body)))
        at = 0
        while not self.served.is_set():
            writer.write(body[at : at + 1024])
            at += 1024
            await writer.drain()
            await asyncio.sleep(0.5)
        writer.close()

    async def _look(self) -> None:
        while not self.served.is_set():
            begun = time.perf_counter()
            status, _ = await self._ask(b"GET /help HTTP/1.1\r\n")
            self.look_s.append(time.perf_counter() - begun)
            if status != 200:
                self.wrong.append(f"GET /help: {status}")
            await asyncio.sleep(0.2)

    def _post(self, number: int, form: tuple[str, dict[str, str]]) -> tuple[bytes, bytes]:
        cookie, tokens = form
        fields = {**tokens, "told": "The words of a crowd.", "location": "https://board.example/1"}
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=files; filename=a.jpg\r\n"
            "Content-Type: image/jpeg\r\n\r\n"
        )
        # Each photograph is another file: a comment after the first marker makes it so.
        photo, comment = self.photos[number % len(self.photos)], secrets.token_bytes(16)
        told = photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        body = "".join(parts).encode() + told + photo[2:] + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nCookie: {cookie}\r\n"
        return f"POST /report HTTP/1.1\r\n{kind}".encode(), body

    def _headed(self, head: bytes, length: int) -> bytes:
        rest = f"Host: {self.host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        return head + rest.encode()

    async def _ask(self, head: bytes, body: bytes = b"") -> tuple[int, str]:
        """The status and the whole answer; 0 where the connection broke."""
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
            writer.write(self._headed(head, len(body)))
            for at in range(0, len(body), PIECE):
                writer.write(body[at : at + PIECE])
                await writer.drain()
            answer = (await reader.read()).decode(errors="replace")
            writer.close()
        except OSError as error:
            return 0, str(error)
        status = answer.partition(" ")[2][:3]
        return int(status) if status.isdecimal() else 0, answer


def main() -> None:
    """Let them come, and tell how it was."""
    asked = json.load(sys.stdin)
    photos = [Path(path).read_bytes() for path in asked["photos"]]
    crowd = Crowd(asked["host"], asked["port"], photos)
    asyncio.run(crowd.come(asked["reports"], asked["slow"]))
    told = ("form_s", "receipt_s", "look_s", "codes", "wrong")
    print(json.dumps({name: getattr(crowd, name) for name in told}))


if __name__ == "__main__":
    main()
