"""A page without a mouse: walk to what is wanted with Tab, and see where one is."""

import pytest
from playwright.sync_api import Page

SHOWS_FOCUS = """() => {
  const at = document.activeElement;
  return [at, at.parentElement].some((one) => {
    const style = getComputedStyle(one);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    return outlined || style.boxShadow !== "none";
  });
}"""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until one of `selector` has the focus, and see that it shows."""
    for _ in range(90):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            break
    else:
        pytest.fail(f"{selector} cannot be reached with Tab")
    assert page.evaluate(SHOWS_FOCUS), f"the focus on {selector} cannot be seen"


def tick(page: Page, selector: str) -> None:
    """Walk there and press the space bar."""
    tab_to(page, selector)
    page.keyboard.press("Space")


def write(page: Page, selector: str, words: str) -> None:
    """Walk there and type."""
    tab_to(page, selector)
    page.keyboard.type(words)


def press(page: Page, selector: str) -> None:
    """Walk there and press Enter; the page that comes next is there when this returns."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")
