"""The phases before the training of a trial: which smaller trainings they are, and what is taken over from each.

Each phase of a trial is the training of another trial, an ordinary one with the same seed, corpus, sizes and schedule:

    frame      core `frame`, the same output model: gives every parameter of the output model that no state is
               multiplied with, W, b_v and b_h of the RBM, V, W, b and c of NADE
    recurrent  the same core, output `bernoulli`: gives every parameter of the core, h_0 included

so that each has the bits of that trial trained alone. The matrices from states to biases stay as they were drawn.
Techniques come along as far as they go with a phase.

What this does not do: train the phases (`phase_runner.py`), or say for how long (`techniques/pretraining.py`).
"""

from dataclasses import dataclass, replace

from models.network import Network
from models.outputs.base import Settings
from models.techniques.base import PHASES, Phase
from models.trial import Trial


@dataclass(frozen=True)
class Preparation:
    """A phase of a trial.

    Attributes:
        phase: its name.
        trial: what is trained in it.
    """

    phase: Phase
    trial: Trial


def preparations(trial: Trial) -> tuple[Preparation, ...]:
    """The phases of a trial, in their order; none for a trial that begins with what was drawn."""
    epochs = {phase: many for technique in trial.techniques for phase, many in technique.pretraining().items()}
    make = {"frame": _frame_trial, "recurrent": _recurrent_trial}
    return tuple(Preparation(phase, make[phase](trial, epochs[phase])) for phase in PHASES if phase in epochs)


def _frame_trial(trial: Trial, epochs: int) -> Trial:
    return replace(
        trial,
        core="frame",
        techniques=tuple(each for each in trial.techniques if each.goes_with_gates and not each.pretraining()),
        hidden_size=1,
        activation="tanh",
        initial_state="zero",
        input_dropout=0.0,
        output_dropout=0.0,
        epochs=epochs,
    )


def _recurrent_trial(trial: Trial, epochs: int) -> Trial:
    techniques = tuple(each for each in trial.techniques if not each.pretraining())
    return replace(trial, output="bernoulli", output_settings=Settings(), techniques=techniques, epochs=epochs)


def taken_over(network: Network, phase: Phase) -> frozenset[str]:
    """Names of the parameters that a network begins with as a phase has left them."""
    if phase == "recurrent":
        return frozenset(network.core.shapes())
    # What is multiplied with states has as many rows as there are units.
    own = network.output.shapes()
    wider = replace(network.output, hidden_size=network.output.hidden_size + 1).shapes()
    return frozenset(name for name, shape in own.items() if wider[name] == shape)
