"""P: pre-training; train the parts first, each on a simpler task, then the whole network.

Boulanger-Lewandowski, Bengio & Vincent (ICML 2012, arXiv:1206.6392) pre-train RNN-RBM and RNN-NADE in two phases:

    frame      the output model alone, with constant biases, on single frames
    recurrent  the recurrent net, on the cross-entropy of the next frame's notes, taken as independent

Training of the whole network starts from the parameters of both phases. `models/training/pretraining.py` defines what a
phase trains, and which parameters are taken over.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from models.core.base import Core
from models.data_kinds import Kind
from models.outputs.base import Output
from models.outputs.bernoulli.bernoulli import Bernoulli
from models.randomness import Draws
from models.techniques.base import Phase, Technique


@dataclass(frozen=True)
class Pretraining(Technique):
    """Most epochs of each phase; 0 leaves the phase out.

    Raises:
        ValueError: a number is not an integer from 0, or both are 0.
    """

    letter: ClassVar[str] = "P"
    title: ClassVar[str] = "pre-training"
    frame_epochs: int
    recurrent_epochs: int

    def __post_init__(self) -> None:
        for name in ("frame_epochs", "recurrent_epochs"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(f"pre-training {name}: wants an integer from 0, got {value!r}")
        if self.frame_epochs == self.recurrent_epochs == 0:
            raise ValueError("pre-training: wants an epoch of a phase at least, got 0 of both; leave P out instead")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """2 to 10 epochs for each phase; the paper gives no number."""
        return cls(draws.integer("frame_epochs", 2, 10), draws.integer("recurrent_epochs", 2, 10))

    @classmethod
    def why_not(cls, core: type[Core], output: type[Output]) -> str | None:
        """It needs a recurrent net, and an output model of notes that has parameters of its own."""
        if not core.remembers:
            return f"{core.name}: it has no recurrent net, and is what the first phase trains; take it with rnn"
        if output.symbols or output.predicts_last_value:
            return f"{output.name}: its phases are about the notes of a frame; take it with nade or rbm"
        if issubclass(output, Bernoulli):
            return f"{output.name}: the second phase would be the training itself; take it with nade or rbm"
        return None

    def pretraining(self) -> dict[Phase, int]:
        """The phases with at least one epoch."""
        phases: dict[Phase, int] = {"frame": self.frame_epochs, "recurrent": self.recurrent_epochs}
        return {phase: epochs for phase, epochs in phases.items() if epochs}
