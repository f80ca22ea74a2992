"""Names of variants, as people write them: `rnn/bernoulli/SGD+CLR` is a core, an output model, techniques.

Only names are read here; what a technique does is in `models/techniques/`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from models.variants import BY_CORE, BY_LETTER, BY_OUTPUT

BASELINE = "baseline/"
PLAIN = "SGD"
ESTIMATED = frozenset(name for name, output in BY_OUTPUT.items() if output.estimated)
TECHNIQUES = {letter: technique.title for letter, technique in BY_LETTER.items()}
OF_THE_PAPER = "CLRM"
"""Techniques that a report speaks of whether they were tried or not."""


@dataclass(frozen=True)
class Variant:
    """The parts of a variant's name.

    >>> Variant.parse("rnn/bernoulli/SGD+CLR")
    Variant(family='rnn/bernoulli', optimizer='SGD', techniques='CLR')
    >>> Variant.parse("rnn/bernoulli/HF").name
    'rnn/bernoulli/HF'
    """

    family: str
    optimizer: str
    techniques: str

    @classmethod
    def parse(cls, name: str) -> "Variant":
        """Split a name at its last slash and at the plus."""
        family, _, tail = name.rpartition("/")
        optimizer, _, techniques = tail.partition("+")
        return cls(family, optimizer, techniques)

    @property
    def tail(self) -> str:
        """The part of the name that distinguishes it within its family: `SGD+CLR`."""
        return f"{self.optimizer}+{self.techniques}" if self.techniques else self.optimizer

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.family}/{self.tail}" if self.family else self.tail

    def without_technique(self, letter: str) -> "Variant":
        """The same variant with one technique less."""
        return Variant(self.family, self.optimizer, self.techniques.replace(letter, ""))


def techniques_told(names: Iterable[str]) -> dict[str, str]:
    """Titles of the techniques that a report of these variants speaks of, by letter.

    >>> "".join(techniques_told(["a/SGD"])), "".join(techniques_told(["a/SGD", "a/SGD+CP"]))
    ('CLRM', 'CLRMP')
    """
    used = {letter for name in names if not is_baseline(name) for letter in Variant.parse(name).techniques}
    return {letter: title for letter, title in TECHNIQUES.items() if letter in OF_THE_PAPER or letter in used}


def is_baseline(name: str) -> bool:
    """Whether a row is a count baseline and not something that was trained."""
    return name.startswith(BASELINE)


def is_estimated(name: str) -> bool:
    """Whether the log-likelihood of a variant's output model can only be estimated.

    >>> is_estimated("rnn/rbm/SGD+C"), is_estimated("rnn/bernoulli/SGD+C"), is_estimated("baseline/uniform")
    (True, False, False)
    """
    return Variant.parse(name).family.rpartition("/")[2] in ESTIMATED


def plain_of(name: str) -> str:
    """The plain variant that this one is compared with: same core, same output model, `SGD`."""
    return Variant(Variant.parse(name).family, PLAIN, "").name


def families(names: Iterable[str]) -> dict[str, int]:
    """The number of variants of each core and output model, the main family first.

    The main family has the most variants. Of several with equally many, the first in the order of our cores, then of
    our output models, comes first; those of other packages follow.

    >>> families(["rnn/classes/SGD", "rnn/softmax/SGD", "lstm/softmax/SGD", "rnn/softmax/SGD+C", "baseline/unigram"])
    {'rnn/softmax': 2, 'rnn/classes': 1, 'lstm/softmax': 1}
    """
    counts = Counter(Variant.parse(name).family for name in names if not is_baseline(name))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], _family_order(pair[0]))))


def _family_order(family: str) -> tuple[int, int, str]:
    core, _, output = family.partition("/")
    places = [
        list(known).index(part) if part in known else len(known)
        for part, known in ((core, BY_CORE), (output, BY_OUTPUT))
    ]
    return places[0], places[1], family


def main_variants(names: Iterable[str]) -> list[str]:
    """The variants of the main family that SGD trains; they differ in techniques alone.

    >>> main_variants(["rnn/nade/SGD", "rnn/bernoulli/Adam+C", "rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C"])
    ['rnn/bernoulli/SGD', 'rnn/bernoulli/SGD+C']
    """
    names = list(names)
    main = next(iter(families(names)), "")
    parsed = {name: Variant.parse(name) for name in names if not is_baseline(name)}
    return [name for name, variant in parsed.items() if (variant.family, variant.optimizer) == (main, PLAIN)]


def group_of(name: str) -> str:
    """Core, output model and, if it is not SGD, optimizer: what two compared variants share.

    >>> group_of("rnn/nade/SGD+CM"), group_of("rnn/bernoulli/Adam+C")
    ('rnn/nade', 'rnn/bernoulli/Adam')
    """
    variant = Variant.parse(name)
    return variant.family if variant.optimizer == PLAIN else f"{variant.family}/{variant.optimizer}"


def letter_order(letter: str) -> int:
    """Sort key: the order of the techniques; letters that stand for none come last."""
    return list(TECHNIQUES).index(letter) if letter in TECHNIQUES else len(TECHNIQUES)


def subset_order(name: str) -> tuple[int, list[int], str]:
    """Sort key: fewer techniques first, then in the order of the techniques."""
    letters = Variant.parse(name).techniques
    return len(letters), [letter_order(letter) for letter in letters], name


def short_labels(names: Iterable[str]) -> dict[str, str]:
    """Names without what all of them share.

    >>> short_labels(["rnn/softmax/SGD", "rnn/softmax/SGD+C", "baseline/unigram"])
    {'rnn/softmax/SGD': 'SGD', 'rnn/softmax/SGD+C': 'SGD+C', 'baseline/unigram': 'unigram'}
    """
    names = list(names)
    families = {Variant.parse(name).family for name in names if not is_baseline(name)}
    labels = {}
    for name in names:
        if is_baseline(name):
            labels[name] = name.removeprefix(BASELINE)
        else:
            labels[name] = Variant.parse(name).tail if len(families) == 1 else name
    return labels


def technique_pairs(names: Iterable[str], letter: str) -> list[tuple[str, str]]:
    """All (without, with) pairs of variants that differ in one technique only, in the order of the subsets.

    >>> technique_pairs(["a/SGD", "a/SGD+C", "a/SGD+CL"], "L")
    [('a/SGD+C', 'a/SGD+CL')]
    """
    trained = {name: Variant.parse(name) for name in names if not is_baseline(name)}
    by_parts = {(v.family, v.optimizer, frozenset(v.techniques)): name for name, v in trained.items()}
    pairs = []
    for name in sorted(trained, key=subset_order):
        variant = trained[name]
        other = by_parts.get((variant.family, variant.optimizer, frozenset(variant.techniques) | {letter}))
        if letter not in variant.techniques and other is not None:
            pairs.append((name, other))
    return pairs
