"""How large the page of a report is, and how soon a browser shows it: the first page of a campaign of 1,000 trials.

Run it as `python -m benchmarks.page`; it wants a Chromium. The campaign is the made-up one of the report's tests, with
five studies of five draws and two fresh seeds on three corpora. Told is when something was painted first, and when
everything was shown, the script's part too: the first frame after the page has loaded. Medians of five visits, in a
window of 1,440 pixels. The gates are 5 MB and 2 s.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.keeping import Gate, keep
from tasks.report import build_report
from tests.tasks.report.browser import Browser, browser, find_browser
from tests.tasks.report.synthetic import synthetic_results

VISITS = 5
_SHOWN = """new Promise(done => requestAnimationFrame(() => setTimeout(() => {
  const painted = performance.getEntriesByName('first-contentful-paint')[0];
  done([painted ? painted.startTime : null, performance.now()].map(each => each && each / 1000));
})))"""


def visit(window: Browser, page: Path) -> tuple[float, float]:
    """Seconds from the navigation to the first paint, and until everything is shown."""
    window.open(page, 1440)
    painted, shown = window.evaluate(_SHOWN)
    return painted, shown


def main() -> None:
    if find_browser() is None:
        print("not measured: no Chromium here; install it with: apt-get install chromium", file=sys.stderr)
        return
    results = synthetic_results(studies=5, seeds=2, trials=5)
    began = time.process_time()
    files = build_report(results)
    making = time.process_time() - began
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page = Path(folder) / "index.html"
        page.write_bytes(files["index.html"])
        with browser(Path(folder) / "profile") as window:
            visits = [visit(window, page) for _ in range(VISITS)]
            nodes = window.evaluate("document.querySelectorAll('*').length")
    painted, shown = (statistics.median(each) for each in zip(*visits, strict=True))
    size = len(files["index.html"]) / 1e6
    case = f"{len(results.trials):,} trials"
    gates = [
        Gate("the page of a report, MB", case, 5.0, 2.0, round(size, 2), size <= 5.0),
        Gate("the page of a report is shown, s", case, 2.0, 1.0, round(shown, 2), shown <= 2.0),
    ]
    figures = {
        "trials": len(results.trials),
        "made, processor s": round(making, 1),
        "index.html, MB": round(size, 2),
        "elements": nodes,
        "first paint, s": round(painted, 2),
        "everything, s": round(shown, 2),
    }
    for name, value in figures.items():
        print(f"{name:32}{value}")
    keep("page", {"figures": figures, "gates": [asdict(gate) for gate in gates]})


if __name__ == "__main__":
    main()
