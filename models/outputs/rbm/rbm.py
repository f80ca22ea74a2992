"""A restricted Boltzmann machine over the notes of a frame, with biases given by the state: the RNN-RBM.

Section 3.3 of arXiv:1212.0901; arXiv:1206.6392. With the state h_{t-1} written s and the machine's own units h,

    b_v(t) = b_v + W_hv s,    b_h(t) = b_h + W_hh' s,    P(v, h) = exp(b_v(t)'v + b_h(t)'h + h'Wv) / Z(t)
    log P(v) = -F(v) - log Z(t)

F is exact (`machine.py`). Z is a sum over 2^D frames; training does not need it, and scoring estimates it
(`annealing.py`).

Training is contrastive divergence (Hinton 2002). The cost of a step is F(v) - F(v_k), where v_k is the end of k Gibbs
steps, treated as a constant. Its gradient estimates that of -log P(v), and flows through the biases into the recurrent
net; its value is not a likelihood. A chain starts at the frame, or at a particle, the end of an earlier chain
(persistent; Tieleman 2008). Particles are a queue: every frame takes the next one, and appends the end of its chain.

Initialisation: W normal with standard deviation 0.1, W_hv and W_hh' with 1/sqrt(H), b_h zero, b_v the log-odds of each
note in train.

Shape letters: S stacked trials, T time, B batch, N = T B frames, D notes, U units, H hidden, M particles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from models.data_kinds import Kind
from models.outputs.base import Output, Settings
from models.outputs.effort import MONITOR, Effort
from models.outputs.rbm.annealing import log_partition
from models.outputs.rbm.machine import Machines, draw_
from models.randomness import Draws, generator_for

SAMPLE_STEPS = 25
"""Number of Gibbs steps for a sample, as in arXiv:1206.6392."""
PARTICLES = 512
"""Number of particles of a member, for persistent chains."""
COUPLING = 0.1
"""Initial standard deviation of W."""


@dataclass(frozen=True)
class RBMSettings(Settings):
    """The size of the machine, and the settings of its training.

    Attributes:
        units: number of hidden units, U.
        cd_steps: number k of Gibbs steps of a chain.
        chain: start of a chain: `data` for the frame, `persistent` for the end of an earlier chain.

    Raises:
        ValueError: a value is out of its range.
    """

    units: int = 150
    cd_steps: int = 15
    chain: Literal["data", "persistent"] = "data"

    def __post_init__(self) -> None:
        for name in ("units", "cd_steps"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"output_settings: {name} wants an integer from 1, got {value!r}")
        if self.chain not in ("data", "persistent"):
            raise ValueError(f"output_settings: chain wants data or persistent, got {self.chain!r}")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """Settings for a search trial; chains start at the frames."""
        return cls(units=draws.integer("rbm_units", 100, 250), cd_steps=draws.integer("cd_steps", 5, 25))


@dataclass(frozen=True)
class RBM(Output):
    """Notes that depend on each other through hidden units, given the state."""

    name: ClassVar[str] = "rbm"
    symbols: ClassVar[bool] = False
    static_shapes: ClassVar[bool] = True
    estimated: ClassVar[bool] = True
    settings_type: ClassVar[type[Settings]] = RBMSettings
    settings: RBMSettings = RBMSettings()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """W_hv and b_v, W_hh' and b_h, W."""
        H, D, U = self.hidden_size, self.width, self.settings.units
        return {
            "output_weight": (H, D),
            "output_bias": (D,),
            "units_weight": (H, U),
            "units_bias": (U,),
            "coupling": (U, D),
        }

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Small random weights; the notes' biases at their log-odds, those of the units zero."""
        for name in ("output_weight", "units_weight"):
            parameters[name].normal_(0.0, self.hidden_size**-0.5, generator=generator)
        parameters["coupling"].normal_(0.0, COUPLING, generator=generator)
        parameters["output_bias"].copy_(torch.logit(frequency_D))
        parameters["units_bias"].zero_()

    def machines(self, parameters: Mapping[str, Tensor], states_STBH: Tensor) -> Machines:
        """The machine of every state, all steps and pieces in a row: N = T B."""
        states_SNH = states_STBH.flatten(1, 2)
        visible_SND, hidden_SNU = (
            torch.baddbmm(parameters[f"{layer}_bias"].unsqueeze(1), states_SNH, parameters[f"{layer}_weight"])
            for layer in ("output", "units")
        )
        return Machines(visible_SND, hidden_SNU, parameters["coupling"])

    def particles(self, members: int, like: Tensor) -> Tensor | None:
        """Silent frames for persistent chains, (S, M, D); None for chains that start at the data."""
        return like.new_zeros(members, PARTICLES, self.width) if self.settings.chain == "persistent" else None

    def cost(
        self,
        parameters: Mapping[str, Tensor],
        states_STBH: Tensor,
        data: Tensor,
        generators: Sequence[torch.Generator],
        particles: Tensor | None = None,
    ) -> Tensor:
        """F(v) - F(v_k), (S, T, B): not a likelihood, but its gradient estimates that of -log P(v)."""
        machines, notes_SND = self.machines(parameters, states_STBH), data.flatten(1, 2)
        start_SND = notes_SND if particles is None else _take(particles, notes_SND.shape[1])
        end_SND = machines.gibbs(start_SND, self.settings.cd_steps, generators)
        if particles is not None:
            _leave_(particles, end_SND)
        cost_SN = machines.free_energy(notes_SND) - machines.free_energy(end_SND)
        return cost_SN.view(states_STBH.shape[:3])

    @torch.no_grad()
    def estimate(
        self,
        parameters: Mapping[str, Tensor],
        states_STBH: Tensor,
        data: Tensor,
        effort: Effort,
        generators: Sequence[torch.Generator],
    ) -> tuple[Tensor, Tensor]:
        """-F(v) - log Z and the standard error of log Z, each float64 (S, T, B); without a gradient."""
        machines, shape = self.machines(parameters, states_STBH), states_STBH.shape[:3]
        log_z_SN, error_SN = log_partition(machines, effort, generators)
        free_SN = machines.free_energy(data.flatten(1, 2)).double()
        return (-free_SN - log_z_SN).view(shape), error_SN.view(shape)

    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """An estimate with effort `MONITOR` and always the same random numbers, (S, T, B); without a gradient."""
        generators = [generator_for("log-likelihood", device=data.device) for _ in states_STBH]
        return self.estimate(parameters, states_STBH, data, MONITOR, generators)[0].to(data.dtype)

    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """The result of `SAMPLE_STEPS` Gibbs steps, from a start drawn by the notes' biases alone."""
        machines = self.machines(parameters, states_STBH)
        alone_SND = machines.visible_SND.clone()
        start_SND = draw_(alone_SND, torch.empty_like(alone_SND), generators)
        return machines.gibbs(start_SND, SAMPLE_STEPS, generators).view(*states_STBH.shape[:3], -1)


def _take(particles_SMD: Tensor, count: int) -> Tensor:
    """The first `count` particles of the queue; if it is shorter, they are repeated."""
    return particles_SMD[:, torch.arange(count, device=particles_SMD.device) % particles_SMD.shape[1]]


def _leave_(particles_SMD: Tensor, end_SND: Tensor) -> None:
    """Append the ends of the chains to the queue, and drop as many particles from its front."""
    M = particles_SMD.shape[1]
    particles_SMD.copy_(torch.cat([particles_SMD, end_SND], dim=1)[:, -M:])
