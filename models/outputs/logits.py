"""Output models whose cost is a convex function of logits, as Hessian-free optimization needs.

Let z be the logits of a step, computed from its state, and l(z) the cost. A Gauss-Newton product needs products with
the Jacobian of z, with its transpose, and with the Hessian H_L of l. A model defines z and H_L. The Jacobian products
come from autograd, unless the model has its own formula.

Shape letters: S stacked trials, T time, B batch, D logits, H hidden, N steps of all lanes in a row.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.autograd import forward_ad

from models.outputs.base import Output, affine

Product = Callable[[Tensor], Tensor]


class LinearisedLogits(Protocol):
    """Logits at given parameters and states, with Jacobian products and their transposes.

    Attributes:
        logits: z, shape (S, T, B, D).
    """

    logits: Tensor

    def tangent(self, moved: Mapping[str, Tensor], moved_states_STBH: Tensor) -> Tensor:
        """The Jacobian product: z' for a direction of the parameters and of the states."""

    def gradient(self, d_logits: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The transposed product: gradients in the parameters by name, and in the states."""


class LogitOutput(Output):
    """An output model with a cost convex in its logits."""

    @abstractmethod
    def logits(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """z of every step, shape (S, T, B, D), given its data; differentiable in backward and in forward mode."""

    @abstractmethod
    def curvature(self, logits: Tensor) -> Product:
        """z' -> H_L z', with H_L the Hessian of each step's cost in its logits, positive semi-definite."""

    def linearised(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> LinearisedLogits:
        """The logits linearised at these parameters and states; by autograd, unless a model overrides this."""
        return AutogradLogits(self.logits, parameters, states_STBH, data)


class AutogradLogits:
    """Jacobian products by autograd. The graph is kept for transposes; each tangent computes the logits again."""

    def __init__(
        self,
        function: Callable[[Mapping[str, Tensor], Tensor, Tensor], Tensor],
        parameters: Mapping[str, Tensor],
        states_STBH: Tensor,
        data: Tensor,
    ):
        self._function, self._data = function, data
        # Copies, since the parameters may change and change back between products, which autograd does not allow.
        self._parameters = {name: value.detach().clone().requires_grad_() for name, value in parameters.items()}
        self._states_STBH = states_STBH.detach().requires_grad_()
        with torch.enable_grad():
            self._graph = function(self._parameters, self._states_STBH, data)
        self.logits = self._graph.detach()

    def tangent(self, moved: Mapping[str, Tensor], moved_states_STBH: Tensor) -> Tensor:
        """z' by forward mode."""
        with torch.no_grad(), forward_ad.dual_level():
            duals = {name: _dual(value, moved[name]) for name, value in self._parameters.items()}
            z = self._function(duals, _dual(self._states_STBH, moved_states_STBH), self._data)
            tangent: Tensor | None = forward_ad.unpack_dual(z).tangent  # type: ignore[no-untyped-call]
        return torch.zeros_like(self.logits) if tangent is None else tangent

    def gradient(self, d_logits: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """By the graph."""
        leaves = [*self._parameters.values(), self._states_STBH]
        *gradients, d_states_STBH = torch.autograd.grad(
            self._graph, leaves, d_logits, retain_graph=True, materialize_grads=True
        )
        return dict(zip(self._parameters, gradients, strict=True)), d_states_STBH


def _dual(value: Tensor, moved: Tensor) -> Tensor:
    dual: Tensor = forward_ad.make_dual(value.detach(), moved)  # type: ignore[no-untyped-call]
    return dual


class AffineLogits:
    """z = b + W h, from `output_weight` (S, H, D) and `output_bias` (S, D), linearised by matrix products."""

    def __init__(self, parameters: Mapping[str, Tensor], states_STBH: Tensor):
        self._weight_SHD, self._states_STBH = parameters["output_weight"].detach(), states_STBH.detach()
        self.logits = affine({name: value.detach() for name, value in parameters.items()}, self._states_STBH)

    def tangent(self, moved: Mapping[str, Tensor], moved_states_STBH: Tensor) -> Tensor:
        """z' = b' + W' h + W h'."""
        moved_SNH, z_STBD = moved_states_STBH.flatten(1, 2), affine(moved, self._states_STBH)
        z_SND = z_STBD.flatten(1, 2)
        torch.baddbmm(z_SND, moved_SNH, self._weight_SHD, out=z_SND)
        return z_STBD

    def gradient(self, d_logits: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """dW = sum of h d^T, db = sum of d, dh = W d."""
        d_SND, states_SNH = d_logits.flatten(1, 2), self._states_STBH.flatten(1, 2)
        d_states_SNH = torch.bmm(d_SND, self._weight_SHD.transpose(1, 2))
        gradients = {"output_weight": torch.bmm(states_SNH.transpose(1, 2), d_SND), "output_bias": d_SND.sum(1)}
        return gradients, d_states_SNH.view(self._states_STBH.shape)


def bernoulli_curvature(logits: Tensor) -> Product:
    """H_L = diag(p (1 - p)), for independent binary values, or for values given the ones before them."""
    probability = torch.sigmoid(logits)
    return (probability * (1 - probability)).mul


def softmax_curvature(logits: Tensor) -> Product:
    """H_L = diag(p) - p p^T, for one symbol."""
    probability = torch.softmax(logits, dim=-1)

    def product(moved: Tensor) -> Tensor:
        weighted = probability * moved
        return weighted - probability * weighted.sum(-1, keepdim=True)

    return product
