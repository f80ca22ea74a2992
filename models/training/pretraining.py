"""The phases of pre-training: the smaller trial that each phase trains, and the parameters taken over from it.

Each phase is the training of another, ordinary trial with the same seed, corpus, sizes and schedule:

    frame      core `frame`, the same output model; gives every parameter of the output model that is not multiplied
               with states: W, b_v and b_h of the RBM, V, W, b and c of NADE
    recurrent  the same core, output model `bernoulli`; gives every parameter of the core, h_0 included

So a phase gives the same bits as that trial trained alone. The matrices from states to biases keep their initial
values. Techniques are used in a phase if they can be combined with it.

What this does not do: train the phases (`phase_runner.py`), or set their length (`techniques/pretraining.py`).
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
        phase: name of the phase.
        trial: that the phase trains.
    """

    phase: Phase
    trial: Trial


def preparations(trial: Trial) -> tuple[Preparation, ...]:
    """The phases of a trial, in order; empty for a trial without pre-training."""
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
    """Names of the parameters that a network takes over from a phase."""
    if phase == "recurrent":
        return frozenset(network.core.shapes())
    # Parameters that are multiplied with states change their shape with the number of units.
    own = network.output.shapes()
    wider = replace(network.output, hidden_size=network.output.hidden_size + 1).shapes()
    return frozenset(name for name, shape in own.items() if wider[name] == shape)
