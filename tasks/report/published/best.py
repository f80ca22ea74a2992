"""The best published test score of each official corpus: it is the 1 of normalised scores over several corpora.

Only numbers count that were read in their source, for the same split and the same measure as ours: nats a frame with
the first frame scored, bits a character with one newline a line, perplexity with `<eos>` counted. The models may be of
any
kind: 1 is the best score reached on a corpus, not the best that a campaign's variants could reach.

What this does not do: compare anything with them (`beside.py`).
"""

from collections.abc import Mapping
from typing import Any

from tasks.report.numbers.metrics import METRICS
from tasks.report.published.literature import Number, is_official, literature


def published_of(corpus: str, facts: Mapping[str, Any]) -> Number | None:
    """The best number on the first metric of an official corpus, the first of equals; None for another corpus.

    Args:
        corpus: its name.
        facts: what `Results.corpora` has of it.
    """
    if not is_official(corpus, facts):
        return None
    metric = METRICS[facts["kind"]][0]
    read = [
        number
        for number in literature(corpus)
        if number.comparable and (number.split, number.metric, number.confidence) == ("test", metric.name, "exact")
    ]
    return max(read, key=lambda number: metric.sign * number.value, default=None)
