"""Results of which everything that other people may name, a corpus, variants, reasons, is markup and a script."""

import dataclasses

from tasks.report import Results
from tests.tasks.report.inert import EVIL
from tests.tasks.report.pages_made import small_results

VARIANT = f"rnn/softmax/{EVIL}"


def evil_results() -> Results:
    """A small campaign on a corpus that is called as `EVIL` is, with a variant of that name."""
    name, other = "folk-tunes-words", "&amp;'\"<b>"
    results, rename = small_results(name), {name: EVIL}
    frames = {}
    for name in ("trials", "curves", "pieces"):
        frame = getattr(results, name).copy()
        frame["corpus"] = frame["corpus"].replace(rename)
        odd = {"rnn/softmax/SGD+C": f"rnn/softmax/{EVIL}", "rnn/softmax/SGD+CL": f"rnn/softmax/{other}"}
        frame["variant"] = frame["variant"].replace(odd)
        frames[name] = frame
    corpora = {rename.get(name, name): facts for name, facts in results.corpora.items()}
    asked = {rename.get(name, name): v for name, v in results.campaign["corpora"].items()}
    return dataclasses.replace(
        results,
        **frames,
        corpora=corpora,
        campaign={**results.campaign, "corpora": asked, "preset": EVIL},
        provenance={**results.provenance, "commit": EVIL, "processor": EVIL},
        failures=[{"key": EVIL, "corpus": EVIL, "variant": EVIL, "reason": EVIL}],
    )
