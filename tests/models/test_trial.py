"""A trial's JSON and its key, the errors of bad values, and the names of variants."""

import hashlib
import json
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, replace

import pytest

from models import trial as module
from models.outputs import NadeSettings, Settings
from models.techniques import Clipping, Leaky, Nesterov, Pretraining, Rectifier
from models.trial import Trial
from models.variants import Variant, all_subsets, technique_letters
from tests.models import examples

PINNED_JSON = (
    '[1,{"activation":"tanh","batch":3,"chunk":4,"corpus":"abc","cost":"sum","decay":0.5,"epochs":3,'
    '"hidden_size":7,"initial_state":"learned","input_dropout":0.0,"learning_rate":0.05,"output":"bernoulli",'
    '"output_dropout":0.0,"patience":3,"seed":1,"techniques":{"C":{"threshold":0.5},'
    '"L":{"high":0.2,"low":0.02,"reading":"update-rate","share":0.5},"M":{"momentum":0.8},"R":{"l1":0.01}}}]'
)
PINNED_KEY = "2f1048bc6c472affa9d4ae8b2efe5be2d7943812ec27f4d3f8cac58db91fc4d1"

OTHERS = {
    "corpus": "1" * 64,
    "optimizer": "Adam",
    "core": "lstm",
    "output": "softmax",
    "techniques": (Clipping(1.0),),
    "hidden_size": 8,
    "activation": "sigmoid",
    "learning_rate": 0.051,
    "cost": "mean",
    "chunk": 5,
    "batch": 2,
    "initial_state": "zero",
    "input_dropout": 0.1,
    "output_dropout": 0.1,
    "transposition": 1,
    "averaging": 0.1,
    "epochs": 4,
    "decay": 0.9,
    "patience": 2,
    "seed": 2,
}


@pytest.mark.parametrize("letters", all_subsets("CLRM"))
@pytest.mark.parametrize("output", ["bernoulli", "softmax", "nade"])
def test_json_there_and_back(output, letters):
    trial = examples.trial(letters, output=output)
    assert Trial.from_json(trial.to_json()) == trial
    for sort_keys in (False, True):
        again = Trial.from_json(json.loads(json.dumps(trial.to_json(), sort_keys=sort_keys)))
        assert again == trial
        assert (again.key, again.variant, again.letters) == (trial.key, trial.variant, letters)
    assert Variant.parse(trial.variant) == Variant("rnn", output, "SGD", letters)


def test_the_order_of_techniques_is_the_papers_whatever_was_given():
    turned = examples.trial(techniques=examples.techniques("MRLC"))
    assert turned.letters == "CLRM"
    assert turned == examples.trial("CLRM")


def test_the_key_is_pinned(monkeypatch):
    monkeypatch.setattr(module, "NUMERICS_VERSION", 1)
    assert hashlib.sha256(PINNED_JSON.encode()).hexdigest() == PINNED_KEY
    assert examples.trial("CLRM", corpus="abc").key == PINNED_KEY


def test_the_key_changes_with_every_field():
    # The simple output models have no settings.
    assert set(OTHERS) | {"output_settings"} == {field.name for field in fields(Trial)}, "a new field is one of OTHERS"
    base = examples.trial("C", learning_rate=0.02)
    keys = {base.key} | {replace(base, **{name: value}).key for name, value in OTHERS.items()}
    assert len(keys) == 1 + len(OTHERS)


@pytest.mark.parametrize(
    ("technique", "others"),
    [
        (Clipping(1.0), {"threshold": 1.5}),
        (Leaky(0.5, "retention"), {"share": 0.25, "reading": "update-rate", "low": 0.03, "high": 0.3}),
        (Rectifier(0.1), {"l1": 0.2}),
        (Nesterov(0.5), {"momentum": 0.6}),
        (Pretraining(2, 3), {"frame_epochs": 1, "recurrent_epochs": 1}),
    ],
    ids=lambda value: getattr(value, "letter", ""),
)
def test_the_key_changes_with_every_number_of_a_technique(technique, others):
    assert set(others) == set(asdict(technique))
    keys = {examples.trial(output="nade", techniques=(technique,)).key, examples.trial(output="nade").key}
    keys |= {examples.trial(output="nade", techniques=(replace(technique, **{k: v}),)).key for k, v in others.items()}
    assert len(keys) == 2 + len(others)


def test_a_key_is_computed_once_and_is_no_part_of_the_trial():
    asked, fresh = examples.trial("C"), examples.trial("C")
    assert asked.key is asked.key
    assert asked == fresh
    assert asked.to_json() == fresh.to_json()
    assert replace(asked, seed=asked.seed + 1).key != asked.key


def test_the_key_changes_with_the_version_of_the_numerics(monkeypatch):
    before = examples.trial().key
    monkeypatch.setattr(module, "NUMERICS_VERSION", module.NUMERICS_VERSION + 1)
    assert examples.trial().key != before


def test_a_trial_is_frozen_and_can_be_a_key():
    trial = examples.trial("CL")
    with pytest.raises(FrozenInstanceError):
        trial.seed = 5
    assert {trial: 1}[examples.trial("CL")] == 1
    assert trial.technique("C") == examples.BY_LETTER["C"]
    assert trial.technique("M") is None


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("core", "elman"),
        ("output", "poisson"),
        ("activation", "elu"),
        ("cost", "median"),
        ("initial_state", "random"),
        *((name, bad) for name in ("hidden_size", "chunk", "batch", "epochs", "patience") for bad in (0, -1, 2.5)),
        *(
            (name, bad)
            for name in ("input_dropout", "output_dropout", "averaging")
            for bad in (-0.1, 1.0, float("nan"))
        ),
        *(("transposition", bad) for bad in (-1, 2.5, True, 128)),
        *(("learning_rate", bad) for bad in (0.0, -1.0, float("nan"), float("inf"))),
        *(("decay", bad) for bad in (0.0, 1.1, float("nan"))),
    ],
)
def test_a_bad_value_is_named(name, bad):
    with pytest.raises(ValueError, match=rf"^{name}: .*{bad}"):
        examples.trial(**{name: bad})


def test_a_technique_twice_and_dropped_symbols_are_refused():
    with pytest.raises(ValueError, match="technique 'C'"):
        examples.trial(techniques=(Clipping(1.0), Clipping(2.0)))
    with pytest.raises(ValueError, match="^input_dropout: "):
        examples.trial(output="softmax", input_dropout=0.1)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.pop("seed"),
        lambda values: values.pop("techniques"),
        lambda values: values.update(unknown=1),
        lambda values: values.update(hidden_size=0),
        lambda values: values.update(learning_rate="fast"),
        lambda values: values.update(techniques={"X": {}}),
        lambda values: values.update(techniques={"C": {"limit": 1}}),
        lambda values: values.update(techniques={"C": {"threshold": -1.0}}),
    ],
)
def test_json_of_something_else_is_refused(change):
    values = examples.trial("C").to_json()
    change(values)
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is the promise; each has words of its own
        Trial.from_json(values)


@pytest.mark.parametrize("core", ["lstm", "gru"])
def test_a_core_with_gates_takes_what_goes_with_it(core):
    for output in ("bernoulli", "softmax", "nade"):
        for letters in all_subsets("CM"):
            trial = examples.trial(letters, core=core, output=output)
            assert trial.variant == f"{core}/{output}/SGD" + ("+" if letters else "") + letters
            assert Variant.parse(trial.variant) == Variant(core, output, "SGD", letters)
            assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial
    for letters in ("L", "R", "CR", "CLRM"):
        with pytest.raises(ValueError, match=f"^technique [LR] .* does not go with {core}: "):
            examples.trial(letters, core=core)
    with pytest.raises(ValueError, match=f"^activation: {core} has its own, got 'sigmoid'; wants tanh$"):
        examples.trial(core=core, activation="sigmoid")


def test_the_simple_core_is_not_in_the_key_that_trials_had_before_there_were_others():
    assert "core" not in examples.trial().to_json()
    assert examples.trial(core="gru").to_json()["core"] == "gru"
    assert len({examples.trial(core=core).key for core in ("rnn", "lstm", "gru")}) == 3


def test_subsets():
    subsets = all_subsets("CLRM")
    assert len(subsets) == len(set(subsets)) == len({frozenset(subset) for subset in subsets}) == 16
    assert subsets[0] == ""
    assert all(subset == "".join(letter for letter in "CLRM" if letter in subset) for subset in subsets)
    assert [len(subset) for subset in subsets] == sorted(len(subset) for subset in subsets)


@pytest.mark.parametrize("letters", all_subsets("CLRM"))
@pytest.mark.parametrize("output", ["bernoulli", "softmax", "nade"])
def test_variant_names_there_and_back(output, letters):
    name = str(Variant("rnn", output, "SGD", letters))
    assert name == f"rnn/{output}/SGD" + ("+" if letters else "") + letters
    assert Variant.parse(name) == Variant("rnn", output, "SGD", letters)
    assert technique_letters(letters[::-1]) == letters


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "CORE/OUTPUT/OPTIMIZER"),
        ("rnn/bernoulli", "CORE/OUTPUT/OPTIMIZER"),
        ("rnn/bernoulli/SGD/C", "CORE/OUTPUT/OPTIMIZER"),
        ("elman/bernoulli/SGD", "core: wants one of rnn, lstm, gru, frame, got 'elman'"),
        ("lstm/bernoulli/SGD+CL", r"technique L \(leaky integration\) does not go with lstm: .*, or C and M with lstm"),
        ("gru/softmax/SGD+R", r"technique R \(rectifier and L1 penalty\) does not go with gru"),
        ("rnn/poisson/SGD", "output: wants one of bernoulli, softmax, nade, rbm, classes"),
        ("rnn/bernoulli/Newton", "optimizer: wants one of SGD, Adam, HF"),
        (
            "rnn/bernoulli/Adam+M",
            r"technique M \(Nesterov momentum\) does not go with Adam: it has a momentum of its own",
        ),
        ("rnn/bernoulli/SGD+X", "technique 'X'"),
        ("rnn/bernoulli/SGD+c", "technique 'c'"),
        ("rnn/bernoulli/SGD+CC", "technique 'C'"),
        ("rnn/bernoulli/SGD+C+L", "technique '[+]'"),
    ],
)
def test_a_variant_that_there_is_not_is_refused(name, said):
    with pytest.raises(ValueError, match=said):
        Variant.parse(name)


def test_the_key_changes_with_every_setting_of_an_output_model():
    others = {"units": 7, "order": (4, 3, 2, 1, 0)}
    assert set(others) == set(asdict(NadeSettings()))
    base = examples.trial(output="nade")
    keys = {base.key} | {replace(base, output_settings=NadeSettings(**{k: v})).key for k, v in others.items()}
    assert len(keys) == 1 + len(others)
    turned = replace(base, output_settings=NadeSettings(order=others["order"]))
    assert Trial.from_json(json.loads(json.dumps(turned.to_json()))) == turned
    with pytest.raises(ValueError, match="^nade units: "):
        Trial.from_json(base.to_json() | {"output_settings": {"units": 0}})


def test_settings_are_those_of_the_output_model():
    @dataclass(frozen=True)
    class Others(Settings):
        units: int = 1

    assert examples.trial().output_settings == Settings()
    assert "output_settings" not in examples.trial().to_json()
    with pytest.raises(ValueError, match=r"^output_settings: wants Settings for bernoulli, got .*Others\(units=1\)"):
        examples.trial(output_settings=Others())
