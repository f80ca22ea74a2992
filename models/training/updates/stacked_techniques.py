"""The techniques of a stack of trials: each hook is called once for all members.

A technique that acts in every update is one object for all members, with columns (S, 1) in place of numbers. Its hooks
work with a number and with a column alike (`techniques.base.Number`). Members without the technique pass through its
hooks with the numbers of a member that has it; afterwards their former values are restored.

Shape letters: S stacked trials, N unpadded steps, H hidden, P parameters in a row.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import fields
from typing import NamedTuple

import torch
from torch import Tensor

from models.techniques import Technique
from models.variants import BY_LETTER


class _Stacked(NamedTuple):
    technique: Technique
    users_S1: Tensor | None
    """Mask of the members that use it; None if all do."""


class StackedTechniques:
    """The techniques in use, in the paper's order.

    Args:
        members: the techniques of each member.
        like: a tensor that gives the type and the device of the columns.
    """

    def __init__(self, members: Sequence[Sequence[Technique]], like: Tensor):
        used = {type(technique): None for techniques in members for technique in techniques}
        kinds = [kind for kind in used if any(_overrides(kind, hook) for hook in ("transform_", "penalty", "step_"))]
        order = {letter: place for place, letter in enumerate(BY_LETTER)}
        stacked = [
            _stack(kind, members, like) for kind in sorted(kinds, key=lambda kind: order.get(kind.letter, len(order)))
        ]
        self._transforming = [each for each in stacked if _overrides(type(each.technique), "transform_")]
        self._penalising = [each for each in stacked if _overrides(type(each.technique), "penalty")]
        self._stepping = [each for each in stacked if _overrides(type(each.technique), "step_")]

    def penalty(self, states_SNH: Tensor) -> Tensor | None:
        """The sum of all techniques' penalties for each unpadded step, (S, N); None if there are none."""
        total = None
        for technique, users_S1 in self._penalising:
            penalty_SN = technique.penalty(states_SNH)
            if penalty_SN is not None:
                masked_SN = penalty_SN if users_S1 is None else torch.where(users_S1, penalty_SN, 0)
                total = masked_SN if total is None else total + masked_SN
        return total

    @property
    def penalise(self) -> bool:
        """Whether any may put a cost on states."""
        return bool(self._penalising)

    @property
    def transform(self) -> bool:
        """Whether any may change the gradient."""
        return bool(self._transforming)

    def transform_(self, gradient_SP: Tensor, norm_S1: Tensor) -> None:
        """Change the gradient in place; `norm_S1` is its Euclidean norm."""
        for technique, users_S1 in self._transforming:
            before = None if users_S1 is None else gradient_SP.clone()
            technique.transform_(gradient_SP, norm_S1)
            _give_back((gradient_SP,), (before,), users_S1)

    def step_(
        self, theta_SP: Tensor, gradient_SP: Tensor, velocity_SP: Tensor, learning_rate_S1: Tensor
    ) -> Tensor | None:
        """Update parameters and velocity of the members with a technique that makes the step itself.

        Returns:
            The learning rates for the optimizer, 0 for these members; None if no member is left for the optimizer.
        """
        left_S1 = None
        for technique, users_S1 in self._stepping:
            before = (None, None) if users_S1 is None else (theta_SP.clone(), velocity_SP.clone())
            stepped = technique.step_(theta_SP, gradient_SP, velocity_SP, learning_rate_S1)
            _give_back((theta_SP, velocity_SP), before, users_S1)
            if stepped and users_S1 is None:
                return None
            if stepped and users_S1 is not None:
                left_S1 = ~users_S1 if left_S1 is None else left_S1 & ~users_S1
        return learning_rate_S1 if left_S1 is None else torch.where(left_S1, learning_rate_S1, 0)


def _stack(kind: type[Technique], members: Sequence[Sequence[Technique]], like: Tensor) -> _Stacked:
    """One object for the techniques of one kind of all members."""
    found = [next((each for each in techniques if type(each) is kind), None) for techniques in members]
    first = next(each for each in found if each is not None)
    stacked = copy(first)
    for field in fields(first):
        numbers = [getattr(first if each is None else each, field.name) for each in found]
        if all(isinstance(number, float) for number in numbers):
            # Not validated again, since each number was validated with its own technique.
            object.__setattr__(stacked, field.name, like.new_tensor(numbers).unsqueeze(1))
    users = [each is not None for each in found]
    return _Stacked(stacked, None if all(users) else torch.tensor(users, device=like.device).unsqueeze(1))


def _overrides(kind: type[Technique], hook: str) -> bool:
    return getattr(kind, hook) is not getattr(Technique, hook)


def _give_back(now: Sequence[Tensor], before: Sequence[Tensor | None], users_S1: Tensor | None) -> None:
    """Restore the former values of the members that do not use a technique."""
    if users_S1 is not None:
        for tensor, old in zip(now, before, strict=True):
            if old is not None:
                tensor.copy_(torch.where(users_S1, tensor, old))
