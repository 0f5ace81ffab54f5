"""axe-core in the page that is open: WCAG 2.2 AA, in the light and in the dark scheme.

What was found is kept in axe.json beside this file and compared: every page that is looked at has a
line there, and each line says that nothing was found. `HAECHI_AXE=keep` writes the lines anew.
"""

import functools
import json
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

HERE = Path(__file__).parent
KEPT = HERE / "axe.json"
SCRIPT = HERE.parents[1] / "web/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
EVERYTHING = {
    "runOnly": {"type": "tag", "values": TAGS},
    # Off by default in axe, and part of WCAG 2.2 AA.
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
RUN = """async options => {
  // A button's colour is still on its way from one scheme to the other.
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  await Promise.all(document.getAnimations().map(one => one.finished));
  const {violations} = await axe.run(document, options);
  return violations.flatMap(rule =>
    rule.nodes.map(node => [rule.id, node.html.slice(0, 160)]));
}"""

type Found = dict[str, dict[str, int]]


def look(page: Page, *, dark: bool) -> list[tuple[str, str]]:
    """Each rule that does not hold, with the element it does not hold for.

    dark   look at the colours of the dark scheme too
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    found = page.evaluate(RUN, EVERYTHING)
    if dark:
        page.emulate_media(color_scheme="dark")
        found += [[f"{rule} in the dark", html] for rule, html in page.evaluate(RUN, COLOURS)]
        page.emulate_media(color_scheme="light")
    return [(rule, html) for rule, html in found]


def compare(found: Found, *, of: str) -> None:
    """What was found is what is kept, page by page: nothing, and no page is missing.

    `of`: the surface whose pages these are.
    """
    if os.environ.get("HAECHI_AXE") == "keep":
        _keep(found)
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert kept["axe-core"] == _version()
    assert kept["tags"] == TAGS
    assert found == {
        name: faults for name, faults in kept["pages"].items() if name.startswith(f"{of}-")
    }
    assert not any(found.values())


def _keep(found: Found) -> None:
    pages: dict[str, Any] = {}
    if KEPT.exists():
        pages = json.loads(KEPT.read_text(encoding="utf-8"))["pages"]
    kept = {"axe-core": _version(), "tags": TAGS, "pages": dict(sorted((pages | found).items()))}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


@functools.cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


def _version() -> str:
    package = json.loads(SCRIPT.with_name("package.json").read_text(encoding="utf-8"))
    return str(package["version"])
