"""Variants: combinations of core, output model, optimizer and techniques; which are allowed, and their names."""

from dataclasses import dataclass
from itertools import combinations
from typing import Self

from models import core, optimizers, outputs, techniques
from models.core import Core
from models.optimizers import Method, Optimizer
from models.outputs import Output
from models.plugins import load_plugins
from models.techniques import Technique

# Built-in members and plug-ins. Collected here, since the plug-ins' modules import the folders of the built-in ones.
BY_LETTER: dict[str, type[Technique]] = {
    technique.letter: technique for technique in (*techniques.TECHNIQUES, *load_plugins("techniques", Technique))
}
BY_OUTPUT: dict[str, type[Output]] = {
    output.name: output for output in (*outputs.OUTPUTS, *load_plugins("outputs", Output))
}
BY_CORE: dict[str, type[Core]] = {each.name: each for each in (*core.CORES, *load_plugins("cores", Core))}
BY_OPTIMIZER: dict[str, type[Method]] = {
    optimizer.name: optimizer for optimizer in (*optimizers.OPTIMIZERS, *load_plugins("optimizers", Optimizer))
}


def all_subsets(letters: str) -> tuple[str, ...]:
    """The letters of every subset of some techniques, the empty one first.

    >>> all_subsets("CLR")
    ('', 'C', 'L', 'R', 'CL', 'CR', 'LR', 'CLR')
    """
    return tuple("".join(subset) for size in range(len(letters) + 1) for subset in combinations(letters, size))


def technique_letters(letters: str) -> str:
    """The letters of some techniques in the paper's order.

    Raises:
        ValueError: a letter stands for no technique, or stands twice.
    """
    for letter in letters:
        if letter not in BY_LETTER or letters.count(letter) > 1:
            known = ", ".join(f"{t.letter} ({t.title})" for t in BY_LETTER.values())
            raise ValueError(f"technique {letter!r} in {letters!r}: wants each at most once of {known}")
    return "".join(letter for letter in BY_LETTER if letter in letters)


@dataclass(frozen=True)
class Variant:
    """An allowed combination; `str` gives its name, with the letters in the paper's order.

    Raises:
        ValueError: a core, output model, optimizer or technique is unknown, or they cannot be combined.

    >>> str(Variant("rnn", "bernoulli", "SGD", "LC")), str(Variant("lstm", "softmax", "Adam"))
    ('rnn/bernoulli/SGD+CL', 'lstm/softmax/Adam')
    """

    core: str = "rnn"
    output: str = "bernoulli"
    optimizer: str = "SGD"
    letters: str = ""

    def __post_init__(self) -> None:
        parts = {"core": tuple(BY_CORE), "output": tuple(BY_OUTPUT), "optimizer": tuple(BY_OPTIMIZER)}
        for part, known in parts.items():
            if getattr(self, part) not in known:
                raise ValueError(f"{part}: wants one of {', '.join(known)}, got {getattr(self, part)!r}")
        object.__setattr__(self, "letters", technique_letters(self.letters))
        used = tuple(BY_LETTER[letter] for letter in self.letters)
        for technique in used:
            self._check(technique)
        why_not = BY_OPTIMIZER[self.optimizer].why_not(BY_CORE[self.core], BY_OUTPUT[self.output], used)
        if why_not is not None:
            raise ValueError(f"optimizer: {self.optimizer} does not go with {why_not}")

    def _check(self, technique: type[Technique]) -> None:
        named = f"technique {technique.letter} ({technique.title}) does not go with"
        if not (BY_CORE[self.core].remembers or technique.goes_with_gates):
            raise ValueError(f"{named} {self.core}: its units are without inputs and memory; take it with rnn")
        if BY_CORE[self.core].gated and not technique.goes_with_gates:
            parts = BY_CORE[self.core], BY_OUTPUT[self.output]
            useful = (t for t in BY_LETTER.values() if t is not techniques.Placebo)
            others = " and ".join(t.letter for t in useful if t.goes_with_gates and t.why_not(*parts) is None)
            raise ValueError(
                f"{named} {self.core}: its gates decide what is kept and have non-linearities of their own;"
                f" take it with rnn, or {others} with {self.core}"
            )
        if BY_OPTIMIZER[self.optimizer].own_momentum and technique.step_ is not Technique.step_:
            raise ValueError(f"{named} {self.optimizer}: it has a momentum of its own; take it with SGD")
        if (why_not := technique.why_not(BY_CORE[self.core], BY_OUTPUT[self.output])) is not None:
            raise ValueError(f"{named} {why_not}")

    def __str__(self) -> str:
        return f"{self.core}/{self.output}/{self.optimizer}" + (f"+{self.letters}" if self.letters else "")

    @classmethod
    def parse(cls, name: str) -> Self:
        """The variant of that name.

        Raises:
            ValueError: a part of the name is unknown, or the parts cannot be combined.

        >>> Variant.parse("rnn/bernoulli/SGD+RC").letters
        'CR'
        """
        pieces = name.split("/")
        if len(pieces) != 3:
            raise ValueError(f"variant {name!r}: wants CORE/OUTPUT/OPTIMIZER+LETTERS, like rnn/bernoulli/SGD+CL")
        optimizer, _, letters = pieces[2].partition("+")
        try:
            return cls(pieces[0], pieces[1], optimizer, letters)
        except ValueError as error:
            raise ValueError(f"variant {name!r}: {error}") from error
