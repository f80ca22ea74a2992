"""Samples: from the beginning of a test piece, by the seed, committed once, with a file to hear or to read."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save

from infra.errors import ConfigurationError, IntegrityError, NotFoundError
from models.randomness import generator_for
from tasks.campaign.drawing import draw_trial
from tasks.corpus.corpus import Corpus
from tasks.trials.continuation import Continuation
from tasks.trials.records import TrialRecord, sample_prefix, trial_prefix
from tasks.trials.samples import ASKED, GIVEN, _quarters, load_sample, original, write_sample
from tasks.trials.trained import Trained
from tests.tasks.conftest import record_of, tiny_music, tiny_text
from tests.tasks.here import continue_here, network_here, sample_here, train_here

CORPORA = {"bach-chorales": "bernoulli", "folk-tunes-characters": "softmax"}


def _trained(store, digests, campaign, name: str, letters: str = "C") -> TrialRecord:
    variant = f"rnn/{CORPORA[name]}/SGD" + (f"+{letters}" if letters else "")
    return train_here(store, draw_trial(campaign, name, digests[name], variant, 0))


def _corpus(name: str) -> Corpus:
    return tiny_music() if name == "bach-chorales" else tiny_text()


def _symbols(made: Continuation, corpus: Corpus) -> np.ndarray:
    """The steps as the corpus has them."""
    if corpus.kind == "music":
        return made.piano_roll
    return np.array([corpus.vocabulary.index(symbol) for symbol in made.steps], np.int32)


@pytest.mark.parametrize("name", CORPORA)
def test_it_begins_as_the_test_piece_does_and_goes_on(store, digests, campaign, name):
    record, corpus = _trained(store, digests, campaign, name), _corpus(name)
    sample_here(store, record)
    made = load_sample(store, record.trial.key)
    assert (made.key, made.variant, made.corpus) == (record.trial.key, record.trial.variant, digests[name])
    assert (made.kind, made.seed, made.asked) == (corpus.kind, record.trial.seed, ASKED[corpus.kind])
    piece = corpus.splits["test"][corpus.titles["test"].index(made.piece)]
    assert made.given == min(len(piece), GIVEN[corpus.kind])
    assert len(made.steps) == made.given + made.asked
    np.testing.assert_array_equal(_symbols(made, corpus)[: made.given], piece[: made.given])
    assert len(set(made.steps[made.given :])) > 1


def test_the_piece_itself_goes_on_from_what_was_given_and_another_one_does_not(store, digests, campaign):
    made = continue_here(store, _trained(store, digests, campaign, "bach-chorales").trial, 3, 2)
    corpus = _corpus("bach-chorales")
    piece = corpus.splits["test"][corpus.titles["test"].index(made.piece)]
    given = replace(made, given=4, asked=3)
    np.testing.assert_array_equal(replace(made, steps=original(corpus, given)).piano_roll, piece[:7])
    assert original(corpus, replace(given, steps=((60,), *made.steps[1:]))) == ()


def test_no_more_is_given_than_the_beginning(store, digests, campaign, monkeypatch):
    monkeypatch.setitem(GIVEN, "music", 3)
    record = _trained(store, digests, campaign, "bach-chorales")
    assert continue_here(store, record.trial, 1).given == 3


@pytest.mark.parametrize("name", CORPORA)
def test_every_draw_is_the_networks_from_the_whole_past(store, digests, campaign, name):
    """With the stored weights, the past computed anew at every step by another way through the network."""
    record, corpus = _trained(store, digests, campaign, name, "LR"), _corpus(name)
    made = continue_here(store, record.trial, 17, 8)
    network, generator = network_here(store, record.trial), generator_for(17, "sample")
    past = torch.from_numpy(_symbols(made, corpus)[: made.given])[None, :, None]
    past = past.float() if corpus.kind == "music" else past.long()
    for _ in range(8):
        with torch.no_grad():
            states, _ = network.states(past, network.start(None, torch.ones(1, dtype=torch.bool)))
            past = torch.cat([past, network.sample(states[:, -1:], [generator])], dim=1)
    np.testing.assert_array_equal(_symbols(made, corpus), past[0, :, 0].numpy())


def test_a_seed_gives_the_same_bytes_and_another_one_others(store, digests, campaign):
    trial = _trained(store, digests, campaign, "bach-chorales").trial
    first, again, other = (continue_here(store, trial, seed) for seed in (5, 5, 6))
    assert first == again
    assert first.to_bytes() == again.to_bytes() != other.to_bytes()
    assert len({continue_here(store, trial, seed, 1).piece for seed in range(20)}) == 3, "the seed chooses the piece"


def test_variants_of_one_seed_go_on_from_the_same_beginning(store, digests, campaign):
    plain, leaky = (_trained(store, digests, campaign, "bach-chorales", letters).trial for letters in ("", "L"))
    one, other = (continue_here(store, trial, 9) for trial in (plain, leaky))
    assert (one.piece, one.given) == (other.piece, other.given)
    assert one.steps[: one.given] == other.steps[: one.given]
    assert one.steps != other.steps


@pytest.mark.parametrize("name", CORPORA)
def test_it_is_committed_once_with_its_file(store, digests, campaign, name, monkeypatch):
    record = _trained(store, digests, campaign, name)
    sample_here(store, record)
    prefix = sample_prefix(record.trial.key)
    manifest, made = store.manifest(prefix), load_sample(store, record.trial.key)
    assert manifest.kind == "sample"
    assert manifest.provenance["versions"]
    assert [item.name for item in manifest.objects] == ["sample.json", made.file_name]
    assert json.loads(store.read(prefix, "sample.json"))["given"] == made.given
    assert store.read(prefix, made.file_name) == made.to_bytes()
    if name == "folk-tunes-characters":
        assert store.read(prefix, "sample.txt").decode() == "".join(made.steps)

    def again(*arguments: object) -> None:
        raise AssertionError("it was drawn again")

    monkeypatch.setattr("tasks.trials.samples.generate", again)
    sample_here(store, record)
    assert store.manifest(prefix) == manifest


def test_what_is_not_there_is_none_and_what_was_not_trained_cannot_play(store, digests, campaign):
    trial = draw_trial(campaign, "bach-chorales", digests["bach-chorales"], "rnn/bernoulli/SGD", 1)
    assert load_sample(store, trial.key) is None
    with pytest.raises(NotFoundError):
        continue_here(store, trial, 1)
    assert store.prefixes("samples") == []


def test_it_is_asked_for_a_step_or_more(store, digests, campaign):
    trial = _trained(store, digests, campaign, "bach-chorales").trial
    with pytest.raises(ConfigurationError, match="--steps 0: a sample has 1 step or more"):
        continue_here(store, trial, 1, 0)


def test_a_network_that_outgrows_its_numbers_has_made_fewer(store, digests, campaign, monkeypatch):
    record = _trained(store, digests, campaign, "folk-tunes-characters", "R")
    network = network_here(store, record.trial)
    network.parameters.theta_SP.mul_(1e6)
    monkeypatch.setattr(Trained, "network", network)
    made = continue_here(store, replace(record.trial), 1)
    assert len(made.steps) < made.given + made.asked


def test_a_file_is_written_for_the_first_digits_of_a_key(store, digests, campaign, tmp_path):
    record = _trained(store, digests, campaign, "bach-chorales")
    trial = record.trial
    sample_here(store, record)
    path = write_sample(store, trial.key[:12], tmp_path).path
    assert path == tmp_path / f"{trial.key[:12]}-{trial.seed}.mid"
    assert path.read_bytes() == store.read(sample_prefix(trial.key), "sample.mid"), "the report's, to the bit"
    path = write_sample(store, trial.key, tmp_path / "own.mid", seed=4, asked=9).path
    assert path.read_bytes() == continue_here(store, trial, 4, 9).to_bytes()


def test_what_cannot_be_written_is_one_line(store, digests, campaign, tmp_path):
    trial = _trained(store, digests, campaign, "folk-tunes-characters").trial
    _trained(store, digests, campaign, "bach-chorales")
    (tmp_path / "there.txt").write_text("mine")
    for to in ("there.txt", "no/folder.txt"):
        with pytest.raises(ConfigurationError, match=r"cannot be written \(.*\); give another --to$"):
            write_sample(store, trial.key, tmp_path / to)
    assert (tmp_path / "there.txt").read_text() == "mine"
    with pytest.raises(ConfigurationError, match=r"^trial '': 2 keys begin so; give more digits$"):
        write_sample(store, "", tmp_path)
    with pytest.raises(NotFoundError, match="no trial 0x; the report names those that were sampled"):
        write_sample(store, "0x", tmp_path)


@pytest.mark.parametrize(
    ("frame", "quarters"),
    [("a quarter note", 1.0), ("an eighth note, half of each file's division", 0.5), ("120 ticks", 1.0), (None, 0.5)],
)
def test_a_frame_is_as_long_as_the_corpus_says(frame, quarters):
    told = replace(tiny_music(), source={} if frame is None else {"frame": frame})
    assert _quarters(told) == quarters
    assert _quarters(replace(told, quarters=0.0625)) == 0.0625


@pytest.mark.parametrize("weights", [b"", (8 + 10**5).to_bytes(8, "little") + b"[" * 10**5, save({"W": torch.ones(2)})])
def test_weights_that_are_none_of_such_a_network_are_told_in_one_line(store, digests, campaign, tmp_path, weights):
    trial = draw_trial(campaign, "bach-chorales", digests["bach-chorales"], "rnn/bernoulli/SGD", 0)
    files = {"record.json": json.dumps(record_of(trial).to_json()).encode(), "weights.safetensors": weights}
    store.commit(trial_prefix(trial.key), files, kind="trial", provenance={})
    with pytest.raises(IntegrityError, match=f"{trial.key}/weights.safetensors cannot be read here: "):
        write_sample(store, trial.key[:8], tmp_path)
    assert list(tmp_path.iterdir()) == []
