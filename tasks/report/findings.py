"""The findings beside the estimates, for the page and for `results.json`: each part is computed once, when it is used.

What this does not do: compute anything itself, or write a word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.report.broken import Broken, find_broken, without_broken
from tasks.report.claims import Claim, judge_claims
from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.results import Results
from tasks.report.over_corpora.aggregate import Aggregate, aggregate
from tasks.report.published import PublishedNumbers, published_beside
from tasks.report.published.paper import PaperTable, paper_tables
from tasks.report.training.ease import Ease, measure_ease
from tasks.report.training.edges import edge_rows
from tasks.report.training.mattering import mattering_rows
from tasks.report.training.measures import Row
from tasks.report.training.tuning import Tuning, tunings
from tasks.report.training.words import ease_sentences
from tasks.report.words.answer import Answer, answer
from tasks.report.words.why import VariantDiagnosis, diagnoses_of


@dataclass(frozen=True, eq=False)
class Findings:
    """The findings of a campaign; a mapping is by corpus.

    Attributes:
        results: the measurements.
        estimates: the scores and effects computed from them.
    """

    results: Results
    estimates: Estimates

    @cached_property
    def answers(self) -> Mapping[str, Answer]:
        """The sentences on the scores."""
        return {name: answer(self.estimates, name) for name in self.results.corpora}

    @cached_property
    def broken(self) -> Sequence[Broken]:
        """What cannot be shown."""
        return find_broken(self.results)

    @cached_property
    def shown(self) -> Results:
        """The results without what cannot be shown: for what draws curves, diagnoses and samples."""
        return without_broken(self.results, self.broken)

    @cached_property
    def ease(self) -> Ease:
        """What is easier to train."""
        return measure_ease(self.results)

    @cached_property
    def ease_sentences(self) -> Mapping[str, str]:
        """The sentences on that."""
        return ease_sentences(self.ease, list(self.results.corpora))

    @cached_property
    def tunings(self) -> Mapping[str, Sequence[Tuning]]:
        """The score against the tuning budget."""
        return {name: tunings(self.results, name) for name in self.results.corpora}

    @cached_property
    def edges(self) -> Mapping[str, Sequence[Row]]:
        """Chosen values at the edge of what is drawn."""
        return {name: edge_rows(self.results, name) for name in self.results.corpora}

    @cached_property
    def mattering(self) -> Mapping[str, Sequence[Row]]:
        """Which hyper-parameters mattered."""
        return {name: mattering_rows(self.results, name) for name in self.results.corpora}

    @cached_property
    def diagnoses(self) -> Mapping[str, Sequence[VariantDiagnosis]]:
        """What was measured on the networks."""
        return {name: diagnoses_of(self.shown, name) for name in self.results.corpora}

    @cached_property
    def aggregate(self) -> Aggregate | None:
        """The numbers over all corpora."""
        return aggregate(self.results, self.estimates)

    @cached_property
    def published(self) -> Mapping[str, PublishedNumbers]:
        """What the literature has of the official corpora."""
        return published_beside(self.results, self.estimates)

    @cached_property
    def paper(self) -> Sequence[PaperTable]:
        """The paper's own tables."""
        return paper_tables([(self.results, self.estimates)])

    @cached_property
    def claims(self) -> Sequence[Claim]:
        """What the paper says, judged."""
        return judge_claims(self.results, self.estimates, self.ease)
