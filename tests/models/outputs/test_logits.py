"""What Hessian-free asks of an output model: products with the derivative of its logits, its transpose, and H_L."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from models.outputs import OUTPUTS
from models.outputs.logits import AutogradLogits, LogitOutput, softmax_curvature
from models.parameters import Parameters

# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
WIDTH, HIDDEN, SHAPE = 4, 3, (2, 1, 6)
MODELS = [output for output in OUTPUTS if issubclass(output, LogitOutput)]
every_model = pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.name)


def _normal(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _made(kind: type[LogitOutput]) -> tuple[LogitOutput, Parameters, Tensor, Tensor]:
    model = kind(WIDTH, HIDDEN, kind.settings_type())
    parameters = Parameters(2, model.shapes(), torch.float64)
    parameters.theta_SP.copy_(_normal(*parameters.theta_SP.shape))
    return model, parameters, _normal(*SHAPE, HIDDEN, seed=1), (_normal(*SHAPE, WIDTH, seed=2) > 0).double()


@every_model
def test_the_likelihood_is_that_of_the_logits(kind):
    model, parameters, states, data = _made(kind)
    z = model.logits(parameters.by_name, states, data)
    p = 1 / (1 + (-z).exp())
    nats = (data * p.log() + (1 - data) * (1 - p).log()).sum(-1)
    torch.testing.assert_close(model.log_likelihood(parameters.by_name, states, data), nats)


@every_model
@pytest.mark.parametrize("way", ["its own", "autograd"])
def test_products_equal_columns_of_the_jacobian(kind, way):
    model, parameters, states, data = _made(kind)
    values = {name: value.detach() for name, value in parameters.by_name.items()}
    linear = model.linearised(values, states, data)
    if way == "autograd":
        linear = AutogradLogits(model.logits, values, states, data)
    names = list(values)
    *of_parameters, of_states = torch.autograd.functional.jacobian(
        lambda *all_: model.logits(dict(zip(names, all_[:-1], strict=True)), all_[-1], data), (*values.values(), states)
    )
    torch.testing.assert_close(linear.logits, model.logits(values, states, data))
    moved = {name: _normal(*value.shape, seed=3) for name, value in values.items()}
    moved_states = _normal(*states.shape, seed=4)
    expected = torch.tensordot(of_states, moved_states, 4)
    for name, jacobian in zip(names, of_parameters, strict=True):
        expected = expected + torch.tensordot(jacobian, moved[name], moved[name].dim())
    torch.testing.assert_close(linear.tangent(moved, moved_states), expected)
    cotangent = _normal(*linear.logits.shape, seed=5)
    for _ in range(2):  # what is kept serves again
        gradients, d_states = linear.gradient(cotangent)
        torch.testing.assert_close(d_states, torch.tensordot(cotangent, of_states, 4))
        assert set(gradients) == set(names)
        for name, jacobian in zip(names, of_parameters, strict=True):
            torch.testing.assert_close(gradients[name], torch.tensordot(cotangent, jacobian, 4))


@every_model
def test_the_curvature_is_the_hessian_of_the_cost_in_the_logits(kind):
    model, *_ = _made(kind)
    z, data = _normal(WIDTH), torch.tensor([1.0, 0, 0, 1], dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(lambda z: -(data * z - z.exp().log1p()).sum(), z)
    product = model.curvature(z.view(1, 1, 1, -1))
    columns = [product(row.view(1, 1, 1, -1)).flatten() for row in torch.eye(WIDTH, dtype=torch.float64)]
    torch.testing.assert_close(torch.stack(columns), hessian)


def test_the_curvature_of_one_symbol():
    z = _normal(WIDTH)
    hessian = torch.autograd.functional.hessian(lambda z: cross_entropy(z.unsqueeze(0), torch.tensor([2])), z)
    product = softmax_curvature(z)
    torch.testing.assert_close(torch.stack([product(row) for row in torch.eye(WIDTH).double()]), hessian)
