"""What must hold when room is short: a narrow window, text twice as large.

Nothing is wider than its window, no words run out of their box or are cut off by it, and all that
can be pressed can be reached with the Tab key, is seen to have the focus, and lies free.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [`${document.documentElement.scrollWidth} in ${room}`,
    ...[...document.querySelectorAll("body *")]
      .filter(one => one.checkVisibility() && one.getBoundingClientRect().right > room + 0.5)
      .slice(0, 5).map(one => one.outerHTML.slice(0, 160))];
}"""

# Words whose box is too small for them, whether they are cut off or run out of it.
CUT = """() => [...document.querySelectorAll("body *")].filter(one => {
  if (!one.checkVisibility({visibilityProperty: true}) || !one.textContent.trim()) return false;
  if (one.closest("svg, .visually-hidden, pre, .table thead") || one.clientWidth === 0) return false;
  const style = getComputedStyle(one);
  if (style.display === "inline" || one.matches("select, textarea, input")) return false;
  const scrolls = /auto|scroll/.test(style.overflowX);
  const meant = [...one.children].some(inner => parseFloat(getComputedStyle(inner).marginInlineEnd) < 0);
  const wide = one.scrollWidth > one.clientWidth + 1 && !scrolls && !meant;
  const low = /hidden|clip/.test(style.overflowY) && one.scrollHeight > one.clientHeight + 1;
  return wide || low;
}).filter((one, _, all) => !all.some(inner => inner !== one && one.contains(inner)))
  .map(one => `${one.scrollWidth} x ${one.scrollHeight} in ${one.clientWidth} x ${one.clientHeight}: `
    + one.outerHTML.slice(0, 160))"""

# All that can be pressed; of radio buttons with one name, one takes the focus for all.
STOPS = """() => {
  document.querySelectorAll("[data-stop]").forEach(one => one.removeAttribute("data-stop"));
  const names = new Set();
  const stops = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled)
    .filter(one => one.type !== "radio" || !names.has(one.name) && names.add(one.name));
  stops.forEach((one, at) => one.setAttribute("data-stop", at));
  return stops.length;
}"""

# Where the focus comes by: which stop it is, and whether one sees it there.
WATCH = """() => {
  const begun = Array.isArray(window.walked);
  window.walked = [];
  if (begun) return;
  const look = at => {
    const first = at.type === "radio" && document.querySelector(`[name="${at.name}"][data-stop]`);
    // The parts of a date have a focus of their own, which no script sees.
    const seen = at.type === "date" || [at, at.closest("label") ?? at].some(one => {
      const style = getComputedStyle(one);
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
        || style.boxShadow !== "none";
    });
    return [(first || at).dataset.stop ?? "", seen, at.outerHTML.slice(0, 160)];
  };
  document.addEventListener("keyup", () => {
    if (document.activeElement !== document.body) window.walked.push(look(document.activeElement));
  });
}"""

# Whatever has the focus is scrolled to a place where nothing lies over it.
COVERED = """() => [...document.querySelectorAll("[data-stop]")].filter(at => {
  at.focus({preventScroll: true});
  at.scrollIntoView({block: "nearest", behavior: "instant"});
  const whole = at.closest("label") ?? at;
  const {left, right, top, bottom} = at.getBoundingClientRect();
  const there = document.elementFromPoint(
    (left + right) / 2, Math.max(0, Math.min((top + bottom) / 2, innerHeight - 1)));
  return !there || !(whole.contains(there) || there.contains(at));
}).map(one => one.outerHTML.slice(0, 160))"""

NAMED = """stops => stops.map(stop => document.querySelector(`[data-stop="${stop}"]`))
  .map(one => one?.outerHTML.slice(0, 160) ?? "gone")"""

# How often a page may change while somebody presses Tab through it.
WALKS = 4


@contextmanager
def text_twice_as_large(page: Page) -> Iterator[None]:
    """As somebody sets it in the browser: what is measured in em follows, also where lines break."""
    session = page.context.new_cdp_session(page)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    try:
        yield
    finally:
        session.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
        session.detach()


def cut(page: Page) -> list[str]:
    """What is wider than the window, or does not fit where it stands."""
    found = [f"too wide: {fault}" for fault in page.evaluate(TOO_WIDE)]
    return found + [f"cut: {fault}" for fault in page.evaluate(CUT)]


def by_keyboard(page: Page) -> list[str]:
    """Press Tab through the whole page; what was not reached, or reached without being seen.

    The queue puts new lists in place of old ones while it is open, and what is pressed then is
    another page than the one that was counted: it is walked anew.
    """
    for _ in range(WALKS):
        wanted = page.evaluate(STOPS)
        faults = _walk(page, wanted)
        if page.locator("[data-stop]").count() == wanted:
            return faults
    return ["never stands still"]


def _walk(page: Page, wanted: int) -> list[str]:
    page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    page.evaluate(WATCH)
    # A few more: the focus does not begin at the top where an error has it, and every date has a stop
    # for year, month, day and calendar.
    dates = page.locator('input[type="date"]').count()
    for _ in range(wanted + 4 + 3 * dates):
        page.keyboard.press("Tab")
    reached, faults = set(), []
    for stop, seen, html in page.evaluate("window.walked"):
        reached.add(stop)
        if not seen:
            faults.append(f"focus not seen: {html}")
    missing = sorted({str(stop) for stop in range(wanted)} - reached)
    faults += [f"focus covered: {html}" for html in page.evaluate(COVERED)]
    return faults + [f"not reached by Tab: {html}" for html in page.evaluate(NAMED, missing)]
