"""The class-factorised softmax: how symbols are laid out, what it sums to, its gradients, and what is refused."""

import functools

import numpy as np
import pytest
import torch

from models.core import use_kernel
from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.network import Network
from models.outputs import ClassSettings, ClassSoftmax, Settings, Softmax
from models.parameters import Parameters
from models.trial import Trial
from tests.models import examples, naive
from tests.models.outputs.softmax.test_cross_entropy import KERNELS

WIDTH, HIDDEN = 40, 6
FREQUENCY = torch.tensor([1 / (3 + (7 * k) % WIDTH) for k in range(WIDTH)], dtype=torch.float64)
FREQUENCY /= FREQUENCY.sum()


def _made(classes: int, members: int = 1) -> tuple[ClassSoftmax, dict[str, torch.Tensor], Parameters]:
    model = ClassSoftmax(WIDTH, HIDDEN, ClassSettings(classes))
    parameters = Parameters(members, model.shapes(), torch.float64)
    parameters.theta_SP.normal_(generator=torch.Generator().manual_seed(classes))
    return model, parameters.by_name | model.constants(FREQUENCY), parameters


def _classes(model: ClassSoftmax) -> list[list[int]]:
    """Symbols of each class by falling frequency, from sums alone."""
    order = sorted(range(WIDTH), key=lambda k: (-float(FREQUENCY[k]), k))
    found = model.constants(FREQUENCY)["class_of"].tolist()
    return [[k for k in order if found[k] == number] for number in range(model.classes)]


def test_columns_are_the_symbols_by_falling_frequency_and_a_class_is_a_block():
    model, named, _ = _made(7)
    classes = _classes(model)
    assert named["symbol_at"].tolist() == sum(classes, [])
    assert named["symbol_at"][named["column_of"]].tolist() == list(range(WIDTH))
    assert named["class_starts"].tolist() == [sum(map(len, classes[:k])) for k in range(8)]
    assert len(classes[0]) < len(classes[-1])


def test_float32_frequencies_give_the_same_layout():
    counts = torch.from_numpy((1e6 / np.arange(1, 10_001)).astype(np.int64))[torch.randperm(10_000)] + 1
    model = ClassSoftmax(10_000, 2)
    exact, rounded = (model.constants(counts.to(dtype) / counts.sum()) for dtype in (torch.float64, torch.float32))
    assert all(torch.equal(exact[name], rounded[name]) for name in exact)
    assert len(exact["class_starts"]) == 31


def _asked(classes: int) -> tuple[Parameters, list[list[int]], torch.Tensor, torch.Tensor]:
    """The weights and the layout of two members, and every symbol once after the same state, or after each of two."""
    model, _, parameters = _made(classes, members=2)
    T = 2 if classes == 7 else 1
    states = torch.randn(2, T, 1, HIDDEN, generator=torch.Generator().manual_seed(5)).double()
    symbols = torch.randperm(WIDTH, generator=torch.Generator().manual_seed(1)).expand(2, T, WIDTH)
    return parameters, _classes(model), states.repeat(1, 1, WIDTH, 1).requires_grad_(), symbols


def _slopes(values: torch.Tensor, leaves: list[torch.Tensor]) -> list[torch.Tensor]:
    """Gradients of two costs: the sum, and one with another weight for every symbol."""
    factor = torch.randn(values.shape, generator=torch.Generator().manual_seed(3)).double()
    return [
        gradient
        for weights in (torch.ones(values.shape).double(), factor)
        for gradient in torch.autograd.grad((values * weights).sum(), leaves, retain_graph=True, materialize_grads=True)
    ]


@functools.cache
def _by_loop(classes: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """What every kernel has to give: the loop's values and gradients."""
    parameters, layout, states, symbols = _asked(classes)
    values = torch.stack(
        [
            naive.class_log_likelihood(
                {k: v[s] for k, v in parameters.by_name.items()}, states[s, t, b], int(w), layout
            )
            for s in range(2)
            for t in range(symbols.shape[1])
            for b, w in enumerate(symbols[s, t])
        ]
    ).view(symbols.shape)
    return values.detach(), _slopes(values, [states, *parameters.by_name.values()])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("classes", [1, 2, 7, WIDTH])
def test_it_equals_a_loop_with_its_gradients_and_sums_to_one(classes, kernel):
    model, _, _ = _made(classes)
    parameters, _, states, symbols = _asked(classes)
    with use_kernel(kernel):
        ours = model.log_likelihood(parameters.by_name | model.constants(FREQUENCY), states, symbols)
        gradients = _slopes(ours, [states, *parameters.by_name.values()])
    torch.testing.assert_close(ours.exp().sum(-1), torch.ones(ours.shape[:2]).double(), rtol=1e-12, atol=0)
    theirs, expected = _by_loop(classes)
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)
    for left, right in zip(gradients, expected, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-10)


def test_with_one_class_it_is_the_full_softmax():
    model, named, _ = _made(1)
    full = Softmax(WIDTH, HIDDEN)
    columns = named["column_of"]
    same = {"output_weight": named["output_weight"][..., columns], "output_bias": named["output_bias"][..., columns]}
    states, symbols = torch.randn(1, 2, 9, HIDDEN).double(), torch.randint(WIDTH, (1, 2, 9))
    ours = model.log_likelihood(named, states, symbols)
    torch.testing.assert_close(ours, full.log_likelihood(same, states, symbols), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_member_of_a_stack_gets_the_numbers_it_gets_alone(kernel):
    model, named, parameters = _made(5, members=3)
    states = torch.randn(3, 1, 50, HIDDEN, generator=torch.Generator().manual_seed(2)).double()
    symbols = torch.randint(WIDTH, (3, 1, 50), generator=torch.Generator().manual_seed(3))
    with use_kernel(kernel):
        together = model.log_likelihood(named, states, symbols)
        for s in range(3):
            alone = {k: v[s : s + 1].clone() for k, v in parameters.by_name.items()} | model.constants(FREQUENCY)
            assert torch.equal(model.log_likelihood(alone, states[s : s + 1], symbols[s : s + 1])[0], together[s])


def test_more_classes_than_symbols_are_refused_and_so_is_none():
    with pytest.raises(ValueError, match="^classes: wants at most one a symbol, of which there are 29, got 30$"):
        ClassSoftmax(29, HIDDEN)
    for classes in (0, -1, 2.0):
        with pytest.raises(ValueError, match="^classes: wants an integer from 1, got"):
            ClassSettings(classes)
    assert ClassSoftmax(30, HIDDEN).classes == 30


def test_notes_have_no_vocabulary():
    trial = examples.trial(output="classes")
    music = Pieces.from_arrays(examples.music([5, 6]))
    with pytest.raises(ValueError, match="^classes: wants data with a vocabulary, of which frequencies sum to 1, not"):
        Network(trial, frequencies(music, 5))
    model, named, _ = _made(2)
    with pytest.raises(ValueError, match="^symbols: wants integers, as a text has, got torch.float32: notes have no"):
        model.log_likelihood(named, torch.zeros(1, 1, 2, HIDDEN).double(), torch.zeros(1, 1, 2, WIDTH))


def test_a_trial_says_how_many_classes_and_reads_it_again():
    trial = examples.trial(output="classes", output_settings=Settings())
    assert trial.variant == "rnn/classes/SGD"
    assert trial.to_json()["output_settings"] == {"classes": 30}
    assert Trial.from_json(trial.to_json()) == trial
    assert examples.trial(output="classes", output_settings=ClassSettings(29)).key != trial.key


def test_a_network_hands_over_what_train_says():
    train = Pieces.from_arrays(examples.text([30, 20]))
    trial = examples.trial(output="classes")
    network: Network = examples.network(trial, train)
    states, symbols = torch.randn(1, 2, 5, 7).double(), torch.arange(5).expand(1, 2, 5)
    states[:, :, :] = states[:, :, :1]
    total = network.log_likelihood(states, symbols).exp().sum(-1)
    torch.testing.assert_close(total, torch.ones(1, 2).double(), rtol=1e-12, atol=0)
    assert network.sample(states, [torch.Generator().manual_seed(0)]).shape == (1, 2, 5)
