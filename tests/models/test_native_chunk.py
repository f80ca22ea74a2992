"""A chunk through compiled code against the same through the network's parts, in float64; bad data; memory."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.core import use_kernel
from models.data.chunks import Chunk, Pieces, chunks
from models.evaluation import metrics
from models.evaluation.forward import likelihoods
from models.native import library
from models.native_chunk import NativeChunk, serves
from models.outputs.nade.nade import NadeSettings
from models.training.updates.gradient import ComposedGradient
from models.training.updates.native_gradient import NativeGradient
from models.training.updates.stacked_techniques import StackedTechniques
from tests.models import examples, sanitized

LENGTHS = [9, 3, 6, 1, 4]  # in chunks of 4 on 3 lanes: carried, fresh and idle lanes, padding, and whole chunks
pytestmark = pytest.mark.skipif(library.reason() is not None, reason=f"no compiled code: {library.reason()}")


def _ways(trial, pieces: Pieces, width: int = 5):
    """The same network twice, with equal random numbers: by its parts, and by compiled code."""
    made = []
    for kind in (ComposedGradient, NativeGradient):
        network = examples.network(trial, pieces, width)
        techniques = StackedTechniques([trial.techniques], network.parameters.theta_SP)
        dropout = [torch.Generator().manual_seed(5)]
        rest = (dropout, None) if kind is ComposedGradient else ()
        made += [kind(network, techniques, dropout, *rest), network.parameters]
    return made


def _assert_equal(trial, pieces: Pieces, some: list[Chunk], width: int = 5) -> None:
    composed, its, compiled, mine = _ways(trial, pieces, width)
    theirs_carried = ours_carried = None
    for chunk in some:
        their_nll, theirs_carried = composed.forward(chunk, theirs_carried)
        our_nll, ours_carried = compiled.forward(chunk, ours_carried)
        torch.testing.assert_close(our_nll, their_nll, rtol=1e-11, atol=0)
        torch.testing.assert_close(ours_carried, theirs_carried, rtol=1e-11, atol=1e-14)
        if chunk.scored_steps:
            norm = composed.backward(torch.tensor([3.0])).double()
            torch.testing.assert_close(compiled.backward(torch.tensor([3.0])), norm, rtol=1e-10, atol=0)
            torch.testing.assert_close(mine.gradient_SP, its.gradient_SP, rtol=1e-9, atol=1e-12)


_CHANGES = ({}, {"initial_state": "zero"}, {"output_dropout": 0.4})
_ON_NOTES = ({"input_dropout": 0.3}, {"input_dropout": 0.3, "output_dropout": 0.4})
"""Symbols are never dropped."""


@pytest.mark.parametrize("letters", ["", "L", "R", "LR", "CM"])
@pytest.mark.parametrize(
    ("output", "changes"),
    [
        (output, changes)
        for output in ("bernoulli", "softmax", "nade", "classes")
        for changes in (*_CHANGES, *(_ON_NOTES if output in ("bernoulli", "nade") else ()))
    ],
)
def test_it_is_what_the_parts_give(output, letters, changes):
    trial, pieces = examples.trial(letters, output=output, **changes), examples.pieces(output, LENGTHS)
    _assert_equal(trial, pieces, list(chunks(pieces, range(len(LENGTHS)), 3, 4)))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_of_every_activation(activation):
    trial, pieces = examples.trial(activation=activation), examples.pieces("bernoulli", LENGTHS)
    _assert_equal(trial, pieces, list(chunks(pieces, range(len(LENGTHS)), 3, 4)))


def test_notes_of_nade_come_in_the_order_that_is_given():
    settings = NadeSettings(units=6, order=(3, 0, 4, 1, 2))
    trial, pieces = examples.trial(output="nade", output_settings=settings), examples.pieces("nade", LENGTHS)
    _assert_equal(trial, pieces, list(chunks(pieces, range(len(LENGTHS)), 3, 4)))


def test_where_only_the_last_step_of_a_piece_is_scored():
    pieces = Pieces.from_arrays(examples.music([9, 8, 6, 1]), torch.float64, last_alone=True)
    some = list(chunks(pieces, range(4), 3, 3))
    assert 0 in [chunk.scored_steps for chunk in some], "a chunk of which nothing is scored is among them"
    _assert_equal(examples.trial("LR"), pieces, some)


@pytest.mark.parametrize("output", ["bernoulli", "softmax", "nade", "classes"])
def test_around_the_sizes_of_vectors_tiles_and_blocks(output):
    sizes = (1, 1, 1, 2), (9, 15, 16, 17), (3, 5, 49, 48), (2, 70, 33, 88), (8, 40, 104, 97)
    for lanes, steps, units, width in sizes:
        pieces = examples.pieces(output, [steps] * lanes, width)
        trial = examples.trial("L", output=output, hidden_size=units, batch=lanes, chunk=steps)
        _assert_equal(trial, pieces, list(chunks(pieces, range(lanes), lanes, steps)), width)


@pytest.mark.parametrize("output", ["bernoulli", "softmax", "nade", "classes"])
@pytest.mark.parametrize("letters", ["L", "R"])
def test_likelihoods_of_whole_pieces_are_those_of_the_parts(output, letters):
    pieces = examples.pieces(output, [30, 7, 18, 1])
    network = examples.network(examples.trial(letters, output=output), pieces)
    assert serves(network)
    ours = metrics.score(network, pieces).log_likelihood
    with use_kernel("reference"):
        assert not serves(network)
        np.testing.assert_allclose(ours, metrics.score(network, pieces).log_likelihood, rtol=1e-12)
    lengths = [len(values_SN[0]) for values_SN, _ in likelihoods(network, pieces, 2, 8)]
    assert sum(lengths) == 56, "every step once, and no padding"


def test_a_long_stretch_is_taken_in_parts():
    lanes, steps, units = 3, 50, 900  # more states than stay in cache
    pieces = examples.pieces("bernoulli", [steps] * lanes)
    network = examples.network(examples.trial("L", hidden_size=units), pieces)
    network.parameters.theta_SP.mul_(0.1)
    ours = metrics.score(network, pieces).log_likelihood
    with use_kernel("reference"):
        np.testing.assert_allclose(ours, metrics.score(network, pieces).log_likelihood, rtol=1e-12)


def test_it_serves_one_trial_of_what_it_knows():
    notes, words = examples.pieces("bernoulli", LENGTHS), examples.pieces("softmax", LENGTHS)
    assert serves(examples.network(examples.trial(), notes))
    assert serves(examples.network(examples.trial(output="softmax"), words))
    for other in ({"core": "lstm"}, {"output": "rbm"}):
        assert not serves(examples.network(examples.trial(**other), notes))
    pair = [examples.trial(seed=1), examples.trial(seed=2)]
    assert not serves(examples.Network(pair, examples.frequencies(notes, 5)))


@pytest.mark.parametrize("symbol", [-1, 5])
def test_a_symbol_beyond_the_vocabulary_is_refused(symbol):
    pieces = examples.pieces("softmax", [4])
    compiled = NativeChunk(examples.network(examples.trial(output="softmax"), pieces))
    (chunk,) = chunks(pieces, [0], 1, 4)
    chunk.data[2] = symbol
    with pytest.raises(ValueError, match="^symbols: wants numbers from 0 to 4$"):
        compiled.log_likelihood(chunk, None)


def test_data_of_another_kind_or_width_are_refused():
    compiled = NativeChunk(examples.network(examples.trial(), examples.pieces("bernoulli", [4])))
    for pieces in (examples.pieces("softmax", [4]), examples.pieces("bernoulli", [4], width=6)):
        (chunk,) = chunks(pieces, [0], 1, 4)
        with pytest.raises(ValueError, match=r"^data: wants torch.float64, 5 wide, got "):
            compiled.log_likelihood(chunk, None)


def test_what_is_not_finite_is_passed_on():
    pieces = examples.pieces("bernoulli", [4])
    network = examples.network(examples.trial(), pieces)
    network.parameters.member(0)["output_bias"][1] = float("nan")
    compiled = NativeChunk(network)
    (chunk,) = chunks(pieces, [0], 1, 4)
    assert compiled.log_likelihood(chunk, None)[0].isnan().all()


@pytest.mark.integration
def test_odd_sizes_touch_nothing_beyond_their_buffers(tmp_path):
    assert sanitized.printed(tmp_path, Path(__file__).with_name("chunk_driver.cpp")) == "192 chunks\n"
