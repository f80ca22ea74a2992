"""A trial: the complete configuration of one training run, frozen, with a canonical JSON form.

The key of a trial is the sha256 of that JSON and of the numerics version. The corpus is identified by its digest. So
equal keys mean equal numbers on equal hardware, and a stored trial never has to be trained again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from math import inf
from typing import Any, Literal, Self

from models.core import Core
from models.core.scan.activation import ACTIVATIONS, Activation
from models.optimizers import HessianFree, Method
from models.outputs import Output, Settings
from models.techniques import Technique
from models.variants import BY_CORE, BY_LETTER, BY_OPTIMIZER, BY_OUTPUT, Variant, technique_letters

NUMERICS_VERSION = 4
"""Raise it with every change that moves the numbers of a trial; all stored trials are then trained again."""

Cost = Literal["sum", "mean"]
_LATER = {"core": "rnn", "optimizer": "SGD", "transposition": 0, "averaging": 0.0}
"""Fields added after the first trials were stored. The JSON leaves them out at these values, so that old keys stay."""
_MOST_SEMITONES = 127
"""From the lowest note of MIDI to the highest."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training run: a variant on a corpus, with its hyper-parameters and its seed.

    Attributes:
        corpus: digest of the corpus.
        core: name of the recurrent core.
        output: name of the output model.
        output_settings: hyper-parameters of the output model, if it has any; its defaults if none are given.
        optimizer: name of the optimizer.
        techniques: the techniques in use, sorted into the paper's order.
        hidden_size: units H; 1 for a core without memory.
        activation: the non-linearity, unless a technique replaces it; tanh for a core with gates, which has its own.
        learning_rate: eps at the start; for Hessian-free 1 / lambda, the inverse of the damping.
        cost: whether the cost of a chunk is the sum or the mean over its steps; both are averaged over the batch.
        chunk: largest number of steps that a gradient is propagated back through.
        batch: number of pieces trained side by side.
        initial_state: whether h_0 is learned or zero; zero for a core without memory.
        input_dropout, output_dropout: share of the inputs, and of the states read by the output model, that are
            dropped in training. Not in the paper.
        transposition: largest number of semitones by which a piece of notes is shifted in training, up or down, drawn
            anew in each epoch (`transposing.py`). Not in the paper.
        averaging: decay of an exponential moving average of the parameters, which is scored and stored in their place
            (`averaging.py`); 0 for none. Not in the paper.
        epochs: most passes over the training split; for Hessian-free most steps, each with the gradient of the whole
            split.
        decay: factor of the learning rate after an epoch without a new best validation score.
        patience: training stops after so many epochs since the best one that were no better than the epoch before them.
        seed: of every random number of the trial.

    Raises:
        ValueError: a value is out of its range, or does not go with another one.
    """

    corpus: str
    core: str = "rnn"
    output: str
    output_settings: Settings = Settings()
    optimizer: str = "SGD"
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
    transposition: int = 0
    averaging: float = 0.0
    epochs: int
    decay: float = 0.5
    patience: int = 3
    seed: int

    def __post_init__(self) -> None:
        # One order whatever was given, JSON with sorted keys for one: equal keys are then equal trials.
        order = technique_letters(self.letters)
        in_order = tuple(sorted(self.techniques, key=lambda technique: order.index(technique.letter)))
        object.__setattr__(self, "techniques", in_order)
        Variant(self.core, self.output, self.optimizer, order)
        if self.output_settings == Settings():
            object.__setattr__(self, "output_settings", self.output_type.settings_type())
        _within("output_settings", self.output_settings, *_settings_of(self.output_type, self.output_settings))
        _member("activation", self.activation, ACTIVATIONS)
        _member("cost", self.cost, ("sum", "mean"))
        _member("initial_state", self.initial_state, ("learned", "zero"))
        for name in ("hidden_size", "chunk", "batch", "epochs", "patience"):
            value = getattr(self, name)
            _within(name, value, isinstance(value, int) and value >= 1, "an integer from 1")
        good = type(self.transposition) is int and 0 <= self.transposition <= _MOST_SEMITONES
        _within("transposition", self.transposition, good, f"an integer from 0 to {_MOST_SEMITONES}")
        for name in ("learning_rate", "input_dropout", "output_dropout", "averaging", "decay"):
            object.__setattr__(self, name, float(getattr(self, name)))  # 1 and 1.0 are one trial, of one key
        for name in ("input_dropout", "output_dropout", "averaging"):
            _within(name, getattr(self, name), 0 <= getattr(self, name) < 1, "a number in [0, 1)")
        _within("learning_rate", self.learning_rate, 0 < self.learning_rate < inf, "a finite number over 0")
        _within("decay", self.decay, 0 < self.decay <= 1, "a number in (0, 1]")
        if self.core_type.gated and self.activation != "tanh":
            raise ValueError(f"activation: {self.core} has its own, got {self.activation!r}; wants tanh")
        if not self.core_type.remembers:
            self._check_without_memory()
        if self.output_type.symbols and self.input_dropout > 0:
            raise ValueError(f"input_dropout: {self.output} reads symbols, of which no part can be dropped; wants 0")
        if (self.output_type.symbols or self.output_type.predicts_last_value) and self.transposition > 0:
            raise ValueError(f"transposition: {self.output} is of no notes, which alone can be shifted; wants 0")
        if self.optimizer_type is HessianFree:
            self._check_hessian_free()

    def _check_hessian_free(self) -> None:
        why = {
            **dict.fromkeys(
                ("input_dropout", "output_dropout"),
                "HF compares one cost at many points, dropout makes it another each time",
            ),
            "transposition": "HF takes the training split as it is",
            "averaging": "a step of HF is already judged by the cost of the whole split",
        }
        for name, reason in why.items():
            if getattr(self, name) > 0:
                raise ValueError(f"{name}: {reason}; wants 0")

    def _check_without_memory(self) -> None:
        """Check that fields without effect have their one allowed value, so that equal trials have equal keys."""
        wanted = {"hidden_size": 1, "activation": "tanh", "initial_state": "zero"}
        for name, value in (wanted | dict.fromkeys(("input_dropout", "output_dropout"), 0.0)).items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{name}: {self.core} has no state but zero, got {getattr(self, name)!r}; wants {value}"
                )

    @property
    def letters(self) -> str:
        """Letters of the techniques in use."""
        return "".join(technique.letter for technique in self.techniques)

    @cached_property
    def variant(self) -> str:
        """Name of the variant."""
        return str(Variant(self.core, self.output, self.optimizer, self.letters))

    @property
    def core_type(self) -> type[Core]:
        """Class of the recurrent core."""
        return BY_CORE[self.core]

    @property
    def output_type(self) -> type[Output]:
        """Class of the output model."""
        return BY_OUTPUT[self.output]

    @property
    def optimizer_type(self) -> type[Method]:
        """Class of the optimizer."""
        return BY_OPTIMIZER[self.optimizer]

    @property
    def stream(self) -> int:
        """The seed of all random streams of training and scoring: `seed`, unless a technique replaces it."""
        stream = self.seed
        for technique in self.techniques:
            stream = technique.stream(stream)
        return stream

    @property
    def network_activation(self) -> Activation:
        """The non-linearity of the network: `activation`, unless a technique replaces it."""
        activation = self.activation
        for technique in self.techniques:
            activation = technique.activation(activation)
        return activation

    @property
    def shape(self) -> tuple[Any, ...]:
        """All fields that determine shapes and operations: trials of equal shape can be stacked on the S axis.

        Learning rate, decay, seed, epochs, patience and techniques may differ between the members of a stack.
        """
        own = {"learning_rate", "decay", "seed", "epochs", "patience", "techniques", "activation"}
        return self.network_activation, *(getattr(self, f.name) for f in fields(self) if f.name not in own)

    def technique(self, letter: str) -> Technique | None:
        """The technique with that letter; None if it is not in use."""
        return next((technique for technique in self.techniques if technique.letter == letter), None)

    def to_json(self) -> dict[str, Any]:
        """The trial as JSON values, with techniques by letter.

        Fields that were added later are left out at their former values (`_LATER`), and so are empty output settings.
        """
        values = {name: getattr(self, name) for name in _field_names()}
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
            techniques = tuple(BY_LETTER[k](**v) for k, v in values["techniques"].items())
            settings = BY_OUTPUT[values["output"]].settings_type(**values.get("output_settings", {}))
            return cls(**{**values, "techniques": techniques, "output_settings": settings})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a trial of this version of the software: {error}") from error

    @cached_property
    def key(self) -> str:
        """sha256 of the canonical JSON and of the version of the numerics, 64 hexadecimal digits."""
        return self._key_of(NUMERICS_VERSION)

    @property
    def older_keys(self) -> tuple[str, ...]:
        """The trial's keys under older numerics versions; results stored under them have other numbers."""
        return tuple(self._key_of(version) for version in range(1, NUMERICS_VERSION))

    def _key_of(self, version: int) -> str:
        canonical = json.dumps([version, self.to_json()], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@cache
def _field_names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Trial))


def _member(name: str, value: str, options: tuple[str, ...]) -> None:
    _within(name, value, value in options, f"one of {', '.join(options)}")


def _settings_of(output: type[Output], settings: Settings) -> tuple[bool, str]:
    return type(settings) is output.settings_type, f"{output.settings_type.__qualname__} for {output.name}"


def _within(name: str, value: object, good: bool, wanted: str) -> None:
    if not good:
        raise ValueError(f"{name}: wants {wanted}, got {value!r}")
