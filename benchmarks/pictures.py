"""The pictures of docs/report.md, of any report: what is chosen on a desk, a phone in the dark, and a sheet of paper.

Run it as `python -m benchmarks.pictures DIR`, where DIR is a report that was pulled or made again, as by
`prefect run report --from docs/results/paper/jsb-chorales --to DIR`; it wants a Chromium. Writes docs/pictures. Of a
report of the default campaign, `python -m benchmarks.pictures DIR readme` writes README's picture, docs/report.png.
"""

import base64
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.tasks.report.browser import Browser, browser, find_browser

DOCS = Path(__file__).parents[1] / "docs"
COLOURS = 200
POINTED = """(() => {
  const svg = document.querySelector('#corpus-1 svg[data-rows]');
  const marks = [...svg.querySelectorAll('[data-told]')].filter(mark => mark.checkVisibility());
  const box = marks[1].getBoundingClientRect();
  svg.dispatchEvent(new PointerEvent('pointermove', {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2}));
})()"""
SCROLLED = "document.querySelector('#corpus-1 .scroll').scrollLeft = 1e6"


@dataclass(frozen=True)
class View:
    """A picture: `top` names the element that it begins at."""

    name: str
    width: int
    height: int
    top: str
    query: str = ""
    scheme: str = "light"
    media: str = ""
    script: str = "0"


VIEWS = (
    View("desk", 1280, 860, "#corpus-1", "?hide=technique:L&hide=output:nade&sort=table-1a:2:up", script=POINTED),
    View("phone", 390, 700, "#corpus-1 .scroll", scheme="dark", script=SCROLLED),
    View("paper", 688, 974, "#corpus-1", media="print"),
)
OF_README = View("report", 1280, 1440, "body")


def draw(window: Browser, page: Path, view: View) -> Image.Image:
    window.open(page, view.width, scheme=view.scheme, media=view.media, query=view.query)
    top = window.evaluate(f"document.querySelector('{view.top}').getBoundingClientRect().top + scrollY")
    window.evaluate(view.script)
    clip = {"x": 0, "y": top, "width": view.width, "height": view.height, "scale": 1}
    shot = window.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")


def main() -> None:
    if find_browser() is None or sys.argv[2:] not in ([], ["readme"]) or len(sys.argv) < 2:
        sys.exit("wants a Chromium, and the folder of a report: python -m benchmarks.pictures DIR [readme]")
    page = (Path(sys.argv[1]) / "index.html").resolve()
    folder, views = (DOCS, (OF_README,)) if sys.argv[2:] else (DOCS / "pictures", VIEWS)
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        browser(Path(profile)) as window,
    ):
        for view in views:
            path = folder / f"{view.name}.png"
            draw(window, page, view).quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
            print(f"{path.relative_to(DOCS.parent)}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
