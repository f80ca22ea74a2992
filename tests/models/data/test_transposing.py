"""Transposition against brute force: every note of every step, wherever its piece is cut."""

from collections import Counter

import numpy as np
import pytest

from models.data.chunks import Pieces, plan_chunks, shuffled
from models.data.stacked import stack
from models.data.transposing import drawn_shifts, room
from models.evaluation.metrics import score_members
from models.randomness import generator_for
from models.training.run import Run, train
from models.training.updates.chunk_updater import ChunkUpdater
from tests.models import examples

pytestmark = pytest.mark.usefixtures("coarse_monitor")

LENGTHS = [9, 4, 6, 1, 7, 3]


def _low_and_high() -> Pieces:
    """Pieces that are near the lowest note, near the highest, in the middle, silent, and as wide as the roll."""
    random, rolls = np.random.default_rng(2), []
    for length, (low, high) in zip(LENGTHS, ((0, 3), (9, 12), (4, 7), (0, 0), (0, 12), (1, 12)), strict=True):
        roll = np.zeros((length, 12), np.uint8)
        roll[:, low:high] = random.random((length, high - low)) < 0.5
        roll[0, low:high] = 1
        rolls.append(roll)
    return Pieces.from_arrays(rolls)


def _notes(roll: np.ndarray) -> set[tuple[int, int]]:
    return {(int(t), int(d)) for t, d in np.argwhere(roll)}


def test_the_room_of_a_piece_is_what_its_outermost_notes_leave():
    down_Q, up_Q = room(_low_and_high())
    assert down_Q.tolist() == [0, 9, 4, 12, 0, 1]
    assert up_Q.tolist() == [9, 0, 5, 12, 0, 0]


def test_shifts_are_as_likely_and_no_note_is_lost():
    pieces = _low_and_high()
    drawn_EQ = np.array([drawn_shifts(7, epoch, 3, room(pieces)) for epoch in range(1, 1401)])
    # The third fits wherever it is shifted to: 1,400 draws of 7 numbers, 200 each but for 4 standard deviations.
    counts = Counter(drawn_EQ[:, 2].tolist())
    assert sorted(counts) == [-3, -2, -1, 0, 1, 2, 3]
    assert all(abs(count - 200) < 4 * (1400 * 6 / 49) ** 0.5 for count in counts.values())
    assert [(own.min(), own.max()) for own in drawn_EQ.T] == [(0, 3), (-3, 0), (-3, 3), (-3, 3), (0, 0), (-1, 0)]
    correlation = np.corrcoef(drawn_EQ[:-1, 2], drawn_EQ[1:, 2])[0, 1]
    assert abs(correlation) < 4 / 1400**0.5, "an epoch tells nothing of the next"
    assert (drawn_EQ[0] == drawn_shifts(7, 1, 3, room(pieces))).all()
    assert (drawn_EQ != np.array([drawn_shifts(8, epoch, 3, room(pieces)) for epoch in range(1, 1401)])).any()


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("lanes", "length"), [(1, 100), (1, 4), (3, 4), (6, 2)])
def test_a_run_reads_every_note_where_it_was_shifted_to(lanes, length, together, monkeypatch):
    pieces = _low_and_high()
    trials = [examples.trial(transposition=3, batch=lanes, chunk=length, epochs=2, seed=s) for s in (1, 2)]
    trials = trials[: 1 + together]
    run, read = Run(trials, pieces, pieces, 12), []
    update = ChunkUpdater.update
    monkeypatch.setattr(
        ChunkUpdater, "update", lambda self, chunk, *rest: (read.append(chunk), update(self, chunk, *rest))[1]
    )
    while run.advance():
        pass
    chunks_an_epoch = len(read) // 2
    for epoch in (1, 2):
        for s, trial in enumerate(trials):
            shift_Q = drawn_shifts(trial.stream, epoch, 3, room(pieces))
            order = shuffled(pieces, lanes, generator_for(trial.stream, "order", epoch))
            met: dict[int, set[tuple[int, int]]] = {piece: set() for piece in range(len(pieces))}
            steps = dict.fromkeys(met, 0)
            ahead = plan_chunks(pieces, order, lanes, length)
            for some, chunk in zip(ahead, read[(epoch - 1) * chunks_an_epoch :], strict=False):
                inputs_TBD = chunk.inputs[s]
                for lane, (piece, many) in enumerate(zip(some.piece_B.tolist(), some.steps_B.tolist(), strict=True)):
                    assert not inputs_TBD[many:, lane].any(), "padding is zero"
                    met[piece] |= {(t + steps[piece], d) for t, d in _notes(inputs_TBD[:many, lane].numpy())}
                    steps[piece] += many
            assert steps == dict(enumerate(LENGTHS))
            for piece, notes in met.items():
                roll = pieces.data[pieces.starts[piece] : pieces.starts[piece + 1]].numpy()
                assert notes == {(t, d + shift_Q[piece]) for t, d in _notes(roll)}
            assert any(shift_Q), "choose a seed that shifts"


def test_a_stack_with_members_that_are_over_is_shifted_too():
    pieces = _low_and_high()
    (some,) = plan_chunks(pieces, [2], 1, 100)
    moved = type(some)(some.piece_B, some.place_B, some.steps_B, some.fresh_B, np.array([2]))
    chunk = stack(pieces, [None, moved, some], 1, 6)
    assert not chunk.inputs[0].any()
    assert _notes(chunk.inputs[1][:, 0].numpy()) == {(t, d + 2) for t, d in _notes(chunk.inputs[2][:, 0].numpy())}


@pytest.mark.parametrize("output", ["bernoulli", "nade", "rbm"])
def test_validation_stays_as_it_is_and_training_is_another(output):
    own = {"output": output, "epochs": 2, "learning_rate": 0.02}
    own |= {"output_settings": examples.RBM_SETTINGS["data"]} if output == "rbm" else {}
    pieces = _low_and_high()
    plain, shifted = (train(examples.trial(**own, transposition=many), pieces, pieces, 12) for many in (0, 3))
    assert plain.curve[0] == shifted.curve[0]
    assert plain.curve[1] != shifted.curve[1]
    run = Run([examples.trial(**own, transposition=3)], pieces, pieces, 12)
    run._network.load(shifted.weights)
    (score,) = score_members(run._network, pieces)
    assert score.mean_log_likelihood == pytest.approx(shifted.best.valid, rel=1e-12)


@pytest.mark.parametrize("output", ["softmax", "classes", "gaussian"])
def test_what_has_no_notes_is_refused_in_one_line(output):
    with pytest.raises(
        ValueError, match=f"^transposition: {output} is of no notes, which alone can be shifted; wants 0$"
    ):
        examples.trial(output=output, transposition=1)
