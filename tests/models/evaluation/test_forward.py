"""A walk through pieces meets every step once, at its place, after the state that a loop over the piece gives."""

from dataclasses import replace

import pytest
import torch

from models.evaluation.forward import Stretch, walk
from tests.models import examples, naive

LENGTHS = [3, 1, 9, 4, 14, 2, 5]


@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
@pytest.mark.parametrize(("lanes", "longest"), [(64, 256), (3, 4), (1, 1), (2, 100)])
def test_every_step_comes_once_with_its_place_and_its_state(output, lanes, longest):
    pieces = examples.pieces(output, LENGTHS)
    network = examples.network(examples.trial("L", output=output), pieces)
    weights, retention = network.parameters.member(0), examples.retention_of(network)
    paths = [naive.states(weights, examples.steps_of(pieces, i), "tanh", retention)[:-1] for i in range(len(LENGTHS))]
    expected = torch.stack([state for path in paths for state in path])
    met = []
    for stretch in walk(network, pieces, lanes, longest):
        place_N = stretch.place_N
        met += place_N.tolist()
        assert torch.equal(stretch.data[0, 0], pieces.data[place_N])
        torch.testing.assert_close(stretch.states_S1NH[0, 0], expected[place_N], rtol=1e-11, atol=1e-12)
        assert stretch.piece_N.tolist() == [
            sum(int(start) <= place for start in pieces.starts) - 1 for place in place_N.tolist()
        ]
        assert not stretch.states_S1NH.requires_grad
    assert sorted(met) == list(range(sum(LENGTHS)))


@pytest.mark.parametrize(("lanes", "longest"), [(64, 256), (3, 4), (1, 1)])
def test_of_pieces_of_which_some_steps_are_scored_those_alone_come(lanes, longest):
    every = examples.pieces("softmax", LENGTHS)
    network = examples.network(examples.trial(output="softmax"), every)
    scored = torch.rand(len(every.data), generator=torch.Generator().manual_seed(0)) < 0.3
    states = {p: h for it in walk(network, every, lanes, longest) for p, h in zip(*_by_place(it), strict=True)}
    some = list(walk(network, replace(every, scored=scored), lanes, longest))
    met = {p: h for it in some for p, h in zip(*_by_place(it), strict=True)}
    assert sorted(met) == scored.nonzero().flatten().tolist()
    assert all(torch.equal(met[place], states[place]) for place in met)
    assert all(stretch.data.numel() for stretch in some)


def _by_place(stretch: Stretch) -> tuple[list[int], list[torch.Tensor]]:
    return stretch.place_N.tolist(), list(stretch.states_S1NH[0, 0])
