"""A trial: everything that decides what one training run computes, frozen, as canonical JSON.

The key of a trial is the sha256 of that JSON and the version of the numerics. The corpus is named by its digest.
So equal keys mean equal numbers on equal hardware, and a stored trial never has to be trained again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import combinations
from math import inf
from typing import Any, Literal, Self

from models.core import CORES, Core
from models.core.scan import ACTIVATIONS, Activation
from models.outputs import OUTPUTS, Output, Settings
from models.techniques import TECHNIQUES, Technique

NUMERICS_VERSION = 1
"""Raised when a change moves the numbers of a trial: every stored trial is then trained anew."""

Cost = Literal["sum", "mean"]
_BY_LETTER = {technique.letter: technique for technique in TECHNIQUES}
_BY_OUTPUT = {output.name: output for output in OUTPUTS}
_BY_CORE = {core.name: core for core in CORES}
_LATER = {"core": "rnn"}
"""Fields that came after trials were stored: left out of the JSON at these values, so that old keys stay."""


def all_subsets(letters: str) -> tuple[str, ...]:
    """The letters of every subset of some techniques, the empty one first.

    >>> all_subsets("CLR")
    ('', 'C', 'L', 'R', 'CL', 'CR', 'LR', 'CLR')
    """
    return tuple("".join(subset) for size in range(len(letters) + 1) for subset in combinations(letters, size))


def variant_name(core: str, output: str, letters: str) -> str:
    """How a variant is written: core, output model, optimizer and techniques.

    >>> variant_name("rnn", "bernoulli", "CL"), variant_name("lstm", "softmax", "")
    ('rnn/bernoulli/SGD+CL', 'lstm/softmax/SGD')
    """
    return f"{core}/{output}/SGD" + (f"+{letters}" if letters else "")


def parse_variant(name: str) -> tuple[str, str, str]:
    """Core, output model and letters of a variant's name, the letters in the paper's order.

    Raises:
        ValueError: it names a core, an output model, an optimizer or a technique that there is not, or a technique that
            does not go with the core.

    >>> parse_variant("rnn/bernoulli/SGD+RC")
    ('rnn', 'bernoulli', 'CR')
    """
    core, output, optimizer, letters = _parts(name)
    if core not in _BY_CORE or output not in _BY_OUTPUT or optimizer != "SGD":
        cores, outputs = " or ".join(_BY_CORE), " or ".join(_BY_OUTPUT)
        wanted = f"CORE/OUTPUT/SGD with CORE {cores}, OUTPUT {outputs}, and +LETTERS after it"
        raise ValueError(f"variant {name!r}: wants {wanted}")
    letters = technique_letters(letters)
    _check_goes_with(core, letters)
    return core, output, letters


def _check_goes_with(core: str, letters: str) -> None:
    for technique in (_BY_LETTER[letter] for letter in letters):
        if _BY_CORE[core].gated and not technique.gated:
            others = " and ".join(t.letter for t in TECHNIQUES if t.gated)
            raise ValueError(
                f"technique {technique.letter} ({technique.title}) does not go with {core}: its gates decide what is"
                f" kept and have non-linearities of their own; take it with rnn, or {others} with {core}"
            )


def technique_letters(letters: str) -> str:
    """The letters of some techniques in the paper's order.

    Raises:
        ValueError: a letter stands for no technique, or stands twice.
    """
    for letter in letters:
        if letter not in _BY_LETTER or letters.count(letter) > 1:
            known = ", ".join(f"{t.letter} ({t.title})" for t in TECHNIQUES)
            raise ValueError(f"technique {letter!r} in {letters!r}: wants each at most once of {known}")
    return "".join(letter for letter in _BY_LETTER if letter in letters)


def _parts(name: str) -> tuple[str, str, str, str]:
    pieces = name.split("/")
    if len(pieces) != 3:
        raise ValueError(f"variant {name!r}: wants CORE/OUTPUT/OPTIMIZER+LETTERS, like rnn/bernoulli/SGD+CL")
    optimizer, _, letters = pieces[2].partition("+")
    return pieces[0], pieces[1], optimizer, letters


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training run: a variant on a corpus, with its hyper-parameters and its seed.

    Attributes:
        corpus: digest of the corpus.
        core: name of the recurrent core.
        output: name of the output model.
        output_settings: its hyper-parameters, where it has some; its own defaults where none are given.
        techniques: the techniques in use; put into the paper's order.
        hidden_size: units H.
        activation: the non-linearity, unless a technique replaces it; tanh for a core with gates, which has its own.
        learning_rate: eps at the start.
        cost: whether the cost of a chunk is the sum or the mean over its steps; either is the mean over the batch.
        chunk: longest stretch of steps that a gradient goes back through.
        batch: pieces trained side by side.
        initial_state: whether h_0 is learned or zero.
        input_dropout, output_dropout: share of inputs and of states on their way to the output that are
            dropped in training. Ours, not the paper's.
        epochs: passes over the training split at most.
        decay: the learning rate is multiplied by it after an epoch without a new best validation score.
        patience: training stops after so many such epochs in a row.
        seed: of every random number of the trial.

    Raises:
        ValueError: a value is out of its range, or does not go with another one.
    """

    corpus: str
    core: str = "rnn"
    output: str
    output_settings: Settings = Settings()
    techniques: tuple[Technique, ...] = ()
    hidden_size: int
    activation: Activation = "tanh"
    learning_rate: float
    cost: Cost = "sum"
    chunk: int
    batch: int
    initial_state: Literal["learned", "zero"] = "learned"
    input_dropout: float = 0.0
    output_dropout: float = 0.0
    epochs: int
    decay: float = 0.5
    patience: int = 3
    seed: int

    def __post_init__(self) -> None:
        _member("core", self.core, tuple(_BY_CORE))
        _member("output", self.output, tuple(_BY_OUTPUT))
        if self.output_settings == Settings():
            object.__setattr__(self, "output_settings", self.output_type.settings_type())
        _within("output_settings", self.output_settings, *_settings_of(self.output_type, self.output_settings))
        _member("activation", self.activation, ACTIVATIONS)
        _member("cost", self.cost, ("sum", "mean"))
        _member("initial_state", self.initial_state, ("learned", "zero"))
        for name in ("hidden_size", "chunk", "batch", "epochs", "patience"):
            value = getattr(self, name)
            _within(name, value, isinstance(value, int) and value >= 1, "an integer from 1")
        for name in ("learning_rate", "input_dropout", "output_dropout", "decay"):
            object.__setattr__(self, name, float(getattr(self, name)))  # 1 and 1.0 are one trial, of one key
        for name in ("input_dropout", "output_dropout"):
            _within(name, getattr(self, name), 0 <= getattr(self, name) < 1, "a number in [0, 1)")
        _within("learning_rate", self.learning_rate, 0 < self.learning_rate < inf, "a finite number over 0")
        _within("decay", self.decay, 0 < self.decay <= 1, "a number in (0, 1]")
        # One order whatever was given, JSON with sorted keys for one: equal keys are then equal trials.
        order = technique_letters(self.letters)
        in_order = tuple(sorted(self.techniques, key=lambda technique: order.index(technique.letter)))
        object.__setattr__(self, "techniques", in_order)
        _check_goes_with(self.core, order)
        if self.core_type.gated and self.activation != "tanh":
            raise ValueError(f"activation: {self.core} has its own, got {self.activation!r}; wants tanh")
        if self.output_type.symbols and self.input_dropout > 0:
            raise ValueError(f"input_dropout: {self.output} reads symbols, of which no part can be dropped; wants 0")

    @property
    def letters(self) -> str:
        """Letters of the techniques in use."""
        return "".join(technique.letter for technique in self.techniques)

    @property
    def variant(self) -> str:
        """Name of the variant."""
        return variant_name(self.core, self.output, self.letters)

    @property
    def core_type(self) -> type[Core]:
        """Class of the recurrent core."""
        return _BY_CORE[self.core]

    @property
    def output_type(self) -> type[Output]:
        """Class of the output model."""
        return _BY_OUTPUT[self.output]

    @property
    def network_activation(self) -> Activation:
        """The non-linearity that the network has: `activation`, unless a technique replaces it."""
        activation = self.activation
        for technique in self.techniques:
            activation = technique.activation(activation)
        return activation

    @property
    def shape(self) -> tuple[Any, ...]:
        """All that decides shapes and operations: trials of one shape can train side by side on the S axis.

        Learning rate and its decay, seed, epochs, patience and techniques are data of each member.
        """
        own = {"learning_rate", "decay", "seed", "epochs", "patience", "techniques", "activation"}
        return self.network_activation, *(getattr(self, f.name) for f in fields(self) if f.name not in own)

    def technique(self, letter: str) -> Technique | None:
        """The technique of that letter, None where it is not in use."""
        return next((technique for technique in self.techniques if technique.letter == letter), None)

    def to_json(self) -> dict[str, Any]:
        """The trial as JSON values, techniques by letter; without the core where it is the simple one.

        Settings of an output model that has none are left out as well.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {name: value for name, value in values.items() if name not in _LATER or value != _LATER[name]}
        values["techniques"] = {technique.letter: asdict(technique) for technique in self.techniques}
        values["output_settings"] = asdict(self.output_settings)
        if not values["output_settings"]:
            del values["output_settings"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The trial that `to_json` wrote.

        Raises:
            ValueError: a field is missing, unknown or out of range.
        """
        try:
            techniques = tuple(_BY_LETTER[k](**v) for k, v in values["techniques"].items())
            settings = _BY_OUTPUT[values["output"]].settings_type(**values.get("output_settings", {}))
            return cls(**{**values, "techniques": techniques, "output_settings": settings})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a trial of this version of the software: {error}") from error

    @property
    def key(self) -> str:
        """sha256 of the canonical JSON and of the version of the numerics, 64 hexadecimal digits."""
        canonical = json.dumps([NUMERICS_VERSION, self.to_json()], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _member(name: str, value: str, options: tuple[str, ...]) -> None:
    _within(name, value, value in options, f"one of {', '.join(options)}")


def _settings_of(output: type[Output], settings: Settings) -> tuple[bool, str]:
    return type(settings) is output.settings_type, f"{output.settings_type.__qualname__} for {output.name}"


def _within(name: str, value: object, good: bool, wanted: str) -> None:
    if not good:
        raise ValueError(f"{name}: wants {wanted}, got {value!r}")
