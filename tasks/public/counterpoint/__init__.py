"""What is in a store, from Python: corpora, trials, their diagnostics and samples, reports.

    import counterpoint
    chorales = counterpoint.load_corpus("./artifacts", "bach-chorales")
    chorales.splits["train"][0].shape      # (T, 88)

Reading only, and every byte is checked against what was committed. The package is thin: it lives in `tasks/public`, and
the work is done by `tasks/`. To train and compare, use `prefect run` or the flows.
"""

from tasks.continuation import Continuation
from tasks.corpus import Corpus
from tasks.reading import Report, load_corpus, load_diagnostics, load_report, load_samples, load_trials

__all__ = [
    "Continuation",
    "Corpus",
    "Report",
    "load_corpus",
    "load_diagnostics",
    "load_report",
    "load_samples",
    "load_trials",
]
