"""Read a store from Python: corpora, trials with curves, scores, diagnostics and samples, and reports.

    import counterpoint
    chorales = counterpoint.load_corpus("./artifacts", "bach-chorales")
    chorales.splits["train"][0].shape      # (T, 88)

    counterpoint.plot.effects("./artifacts", "bach-chorales")      # a chart of the newest report there

The package only reads, and checks every byte against its committed digest. Errors are `CounterpointError`. The package
is in `tasks/public`, and calls `tasks/` for its work. To train and compare, use `prefect run` or the flows.
docs/programs.md has every column of every DataFrame.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING as _TYPE_CHECKING

try:
    from infra.machine.own_packages import in_the_way as _in_the_way
except ImportError as _error:
    from importlib.util import find_spec as _find_spec

    _spec = _find_spec("infra")
    _found = None if _spec is None else _spec.origin or next(iter(_spec.submodule_search_locations or ()), None)
    raise ImportError(
        f"{_found}: this is not Counterpoint's package `infra`, and is in its way; rename it, or work in another folder"
    ) from _error
if (_line := _in_the_way()) is not None:
    raise ImportError(_line)

from infra.errors import (
    ConfigurationError,
    CorpusError,
    CounterpointError,
    IntegrityError,
    NotFoundError,
    StoreError,
)
from tasks.corpus.corpus import Corpus
from tasks.trials.continuation import Continuation

from .corpora import load_corpus
from .reports import Report, load_report
from .samples import load_samples
from .trials import load_curves, load_diagnostics, load_scores, load_trials

if _TYPE_CHECKING:
    from . import plot

__version__ = _version("counterpoint")

__all__ = [
    "ConfigurationError",
    "Continuation",
    "Corpus",
    "CorpusError",
    "CounterpointError",
    "IntegrityError",
    "NotFoundError",
    "Report",
    "StoreError",
    "load_corpus",
    "load_curves",
    "load_diagnostics",
    "load_report",
    "load_samples",
    "load_scores",
    "load_trials",
    "plot",
]


def __getattr__(name: str) -> object:
    """`counterpoint.plot`, loaded at its first use: it imports Altair, which takes a second."""
    if name == "plot":
        return _import_module("counterpoint.plot")
    raise AttributeError(f"module 'counterpoint' has no attribute {name!r}")
