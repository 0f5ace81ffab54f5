"""The whole house on loopback, as the demo starts it, and Chromium in front of it.

Set HAECHI_SCREENSHOTS to a folder to keep a picture of every page that is looked at.
"""

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

from haechi.demo import pictures
from haechi.demo.household import Family
from haechi.demo.ports import HOST, Ports
from haechi.demo.processes import Crew
from haechi.demo.tale import Tale
from haechi.demo.telling import Teller

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A machine of which others want much is slow, and no test may fail for that.
expect.set_options(timeout=60_000)
LOCALES = {"ko": "ko-KR", "zh-hans": "zh-CN", "en": "en-GB"}
SCREENSHOTS = os.environ.get("HAECHI_SCREENSHOTS", "")
# In a process of its own: Django is set up for another database in this one.
PREPARE = """
import base64, dataclasses, json, sys
from pathlib import Path
from haechi.demo import household
from haechi.demo.ports import Ports
family = household.prepare(Path(sys.argv[1]), Ports.from_base(int(sys.argv[2])))
told = dataclasses.asdict(dataclasses.replace(family, home=""))
told["webhook_secret"] = base64.b64encode(family.webhook_secret).decode()
print(json.dumps(told))
"""

type Surface = Literal["public", "desk"]


@pytest.fixture(scope="session")
def house() -> Iterator[Tale]:
    """Everything runs; nobody has reported anything yet. Stopped at the end, without orphans."""
    # Not under tmp_path: run by root, PostgreSQL's own user could not enter there.
    home = Path(tempfile.mkdtemp(prefix="haechi-browser-"))
    crew = Crew(home)
    try:
        family = _prepare(home, _free_ports())
        crew.start(family)
        yield Tale(family, crew, Teller(io.StringIO()), pictures.photograph(pictures.CHAPTERS[0]))
    finally:
        crew.stop()
        shutil.rmtree(home, ignore_errors=True)
    assert _left_behind(home) == []


def _prepare(home: Path, ports: Ports) -> Family:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", PREPARE, str(home), str(ports.public)],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    told["webhook_secret"] = base64.b64decode(told["webhook_secret"])
    return Family(**{**told, "home": home, "ports": ports})


def _free_ports() -> Ports:
    # Two sessions that look at once do not find the same ones free.
    first = 31_000 + os.getpid() % 60 * 100
    for base in range(first, 39_000, 100):
        ports = Ports.from_base(base)
        if all(map(_is_free, ports.named().values())):
            return ports
    raise OSError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _left_behind(home: Path) -> list[str]:
    mark = str(home).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            known = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in known:
            found.append(known.decode(errors="replace").rpartition("\0\0")[2])
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module.

    Not for the session: while Playwright's loop runs in this thread, Django refuses to touch its
    database, and in random order tests of other folders come in between.
    """
    if CHROMIUM is None:
        pytest.fail("the browser tests need Chromium; `make browser` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, and all it did that it must not do.

    requests   "GET /path" of every request to our own host
    faults     console errors, refusals of the content security policy, requests to other hosts
    expected   addresses whose answer is an error on purpose
    """

    page: Page
    origin: str
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)

    def go(self, path: str, *, status: int = 200) -> None:
        """Open a page of ours."""
        if status >= 400:
            self.expected.add(self.origin + path)
        answer = self.page.goto(self.origin + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"

    def no_faults(self) -> None:
        """Everything went as it should, up to now."""
        assert self.faults == []

    def picture(self, name: str) -> None:
        """Keep a screenshot, where a folder for them is named."""
        if SCREENSHOTS:
            folder = Path(SCREENSHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=folder / f"{name}.png", full_page=True)

    def watch(self) -> None:
        """Listen from now on."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        known = message.text.startswith("Failed to load resource")
        if not (known and message.location["url"] in self.expected):
            self.faults.append(f"console: {message.text} at {message.location['url']}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" == self.origin:
            self.requests.append(f"{request.method} {parts.path}")
        elif parts.scheme not in ("blob", "data"):
            self.faults.append(f"foreign request: {request.url}")


type Opener = Callable[..., Watched]


@pytest.fixture(scope="module")
def open_page(chromium: Browser, house: Tale) -> Iterator[Opener]:
    """Open a fresh browser window: `open_page("public", "ko", width=390, scripts=False)`."""
    windows: list[BrowserContext] = []

    def opener(
        surface: Surface,
        language: str,
        *,
        width: int = 1280,
        height: int = 800,
        scripts: bool = True,
        phone: bool = False,
        cookies: dict[str, str] | None = None,
    ) -> Watched:
        origin = house.family.url(surface)
        window = chromium.new_context(
            viewport={"width": width, "height": height},
            locale=LOCALES[language],
            java_script_enabled=scripts,
            is_mobile=phone,
            has_touch=phone,
            reduced_motion="reduce",
        )
        windows.append(window)
        window.set_default_timeout(90_000)
        window.route(lambda url: not url.startswith(origin), _nowhere)
        window.add_cookies(
            [
                {"name": name, "value": value, "url": origin}
                for name, value in (cookies or {}).items()
            ]
        )
        watched = Watched(window.new_page(), origin)
        watched.watch()
        return watched

    yield opener
    for window in windows:
        window.close()


def _nowhere(route: Route) -> None:
    """No request leaves the machine, whatever a page asks for."""
    route.abort()
