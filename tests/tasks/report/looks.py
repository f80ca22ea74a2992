"""What a browser knows of an open page's looks: which texts stick out, which captions are cut, what axe finds."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.tasks.report.browser import Browser

# every text of a drawing that leaves its drawing by more than half a pixel
_LEAVING = """(() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => text.checkVisibility()).filter(text => {
    if (!text.textContent.trim()) return false;
    const own = text.getBoundingClientRect();
    return own.left < box.left - .5 || own.right > box.right + .5
      || own.top < box.top - .5 || own.bottom > box.bottom + .5;
  }).map(text => text.textContent);
}))()"""
_CUT = """[...document.querySelectorAll('caption, figcaption')].filter(caption => {
  const own = caption.getBoundingClientRect();
  return own.left < 0 || own.right > document.documentElement.clientWidth;
}).map(caption => caption.textContent)"""
# the sections of the other corpora come from the same template as the first one's; drawings take axe longest, and that
# each is one image with a description is tested of the page's text
_AXE = """axe.run({exclude: [%s]}, {resultTypes: ['violations'] %s}).then(found => JSON.stringify(found.violations
  .filter(each => ['serious', 'critical'].includes(each.impact))
  .map(each => [each.id, each.nodes.length, each.nodes[0].html.slice(0, 200)])))"""
_NOT_LOOKED_AT = "['#corpus-2'], ['#corpus-3'], ['svg']"
# of each table of scores or changes the cells of the first two columns that are not whole in it once it is scrolled
_OUT_OF_SIGHT = """[...document.querySelectorAll(':is(.scores, .trend, .changes)')].flatMap(table => {
  const scrolled = table.closest('.scroll');
  scrolled.scrollLeft = 1e6;
  const frame = scrolled.getBoundingClientRect();
  return [...table.rows].filter(row => row.checkVisibility()).flatMap(row => {
    const [name, value] = [...row.cells].slice(0, 2).map(cell => cell.getBoundingClientRect());
    const seen = name.left >= frame.left - .5 && name.right <= value.left + .5 && value.right <= frame.right + .5;
    return seen && getComputedStyle(row.cells[1]).zIndex == 1 ? [] : [row.innerText];
  });
})"""
_STOPS = """[...document.querySelectorAll('[tabindex="0"]')].filter(e => e.scrollWidth <= e.clientWidth).length"""


def leaving_texts(window: Browser, font: str = "") -> list[str]:
    """The texts of the drawings that are not within them; with another font than the page's own where one is named."""
    window.evaluate(f"document.documentElement.style.setProperty('--sans', '{font}')")
    found: list[str] = window.evaluate(_LEAVING)
    window.evaluate("document.documentElement.style.removeProperty('--sans')")
    return found


def cut_captions(window: Browser) -> list[str]:
    """The captions that are not within the window."""
    found: list[str] = window.evaluate(_CUT)
    return found


def out_of_sight(window: Browser) -> list[str]:
    """The rows whose variant or main number cannot be seen where their table is scrolled to its end."""
    found: list[str] = window.evaluate(_OUT_OF_SIGHT)
    return found


def idle_stops(window: Browser) -> int:
    """How many places the keyboard stops at to scroll where nothing scrolls."""
    number: int = window.evaluate(_STOPS)
    return number


def font_of(window: Browser, selector: str) -> dict[str, Any]:
    """The font that the browser draws an element with: `familyName`, `isCustomFont`."""
    for domain in ("DOM", "CSS"):
        window.call(f"{domain}.enable")
    root = window.call("DOM.getDocument", depth=0)["root"]["nodeId"]
    node = window.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
    fonts = window.call("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
    return max(fonts, key=lambda font: font["glyphCount"])


def axe_findings(window: Browser, *, only: str = "") -> str:
    """What axe, a checker of accessibility, calls serious or critical, as JSON.

    Args:
        window: an open page.
        only: the one rule to check; every rule where none is named.
    """
    package = find_spec("axe_core_python")
    assert package is not None
    assert package.origin is not None
    window.evaluate(Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8") + ";0")
    rules = f", runOnly: ['{only}']" if only else ""
    found: str = window.evaluate(_AXE % (_NOT_LOOKED_AT, rules))
    return found
