"""What a request comes to: names, variants, sizes; and what the presets promise."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from infra.errors import ConfigurationError
from infra.settings import CampaignRequest
from infra.store import Store
from models.outputs import ClassSettings
from models.ranges import Interval, Values
from models.techniques import TECHNIQUES
from models.variants import Variant, all_subsets
from tasks.campaign import PRESETS, campaign_text, resolve
from tasks.campaign.drawing import draw_trial
from tasks.ingest import known_corpora
from tasks.ingest.names import Named, give_name
from tasks.report.numbers.variant_titles import technique_pairs

CHORALES, CHARACTERS, WORDS = "bach-chorales", "folk-tunes-characters", "folk-tunes-words"
LETTERS = [technique.letter for technique in TECHNIQUES]


@pytest.mark.parametrize(
    ("request_", "wrong", "alternatives"),
    [
        (CampaignRequest(preset="huge"), "'huge'", list(PRESETS)),
        (CampaignRequest(preset="huge\nline"), r"huge\nline", list(PRESETS)),
        (CampaignRequest(corpora=("lakh",)), "'lakh'", known_corpora()),
        (CampaignRequest(corpora=(CHORALES, "chorales")), "'chorales'", known_corpora()),
        (CampaignRequest(variants=("SGD", "SGD+X")), "'X'", LETTERS),
        (CampaignRequest(variants=("SGD+CLC",)), "'C' in 'CLC'", LETTERS),
        (CampaignRequest(variants=("SGD+cx",)), "'x'", LETTERS),
        (CampaignRequest(variants=("Newton",)), "Newton", ["SGD", "Adam"]),
        (CampaignRequest(variants=("rnn/poisson/SGD",)), "'rnn/poisson/SGD'", ["bernoulli", "softmax"]),
        (CampaignRequest(variants=("elman/softmax/SGD",)), "'elman/softmax/SGD'", ["rnn", "lstm", "gru"]),
        (
            CampaignRequest(variants=("lstm/softmax/SGD+L",)),
            "technique L (leaky integration)",
            ["rnn", "C and M"],
        ),
        (CampaignRequest(variants=("rnn/softmax/Newton",)), "'rnn/softmax/Newton'", ["SGD"]),
        (CampaignRequest(variants=("bernoulli/SGD",)), "'bernoulli/SGD'", ["rnn/bernoulli/SGD+CL"]),
        (CampaignRequest(variants=("rnn/bernoulli/SGD/C",)), "'rnn/bernoulli/SGD/C'", ["rnn/bernoulli/SGD+CL"]),
    ],
)
def test_a_wrong_name_is_one_line_with_the_alternatives(request_, wrong, alternatives):
    with pytest.raises(ConfigurationError) as caught:
        resolve(request_)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert wrong in message
    assert [name for name in alternatives if name not in message] == []


def test_plain_sgd_is_always_there_and_first():
    campaign = resolve(CampaignRequest(corpora=(CHORALES,), variants=("SGD+CLR", "SGD", "SGD+C")))
    assert campaign.variants == {CHORALES: ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+CLR", "rnn/bernoulli/SGD+C")}


def test_a_short_name_takes_the_output_model_of_each_corpus():
    campaign = resolve(CampaignRequest(preset="thorough", variants=("SGD+CL",)))
    assert campaign.variants == {
        CHORALES: ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+CL"),
        CHARACTERS: ("rnn/softmax/SGD", "rnn/softmax/SGD+CL"),
        WORDS: ("rnn/softmax/SGD", "rnn/softmax/SGD+CL"),
    }


def test_a_short_name_of_what_goes_with_music_alone():
    campaign = resolve(CampaignRequest(variants=("HF", "SGD+C"), corpora=(CHORALES, CHARACTERS)))
    assert campaign.variants == {
        CHORALES: ("rnn/bernoulli/SGD", "rnn/bernoulli/HF", "rnn/bernoulli/SGD+C"),
        CHARACTERS: ("rnn/softmax/SGD", "rnn/softmax/SGD+C"),
    }
    with pytest.raises(
        ConfigurationError, match=f"variants HF: none is for {CHARACTERS}: .*HF does not go with softmax"
    ):
        resolve(CampaignRequest(variants=("HF",), corpora=(CHORALES, CHARACTERS)))


def test_a_full_name_is_for_its_own_kind_alone():
    campaign = resolve(CampaignRequest(variants=("rnn/bernoulli/SGD+M", "rnn/softmax/SGD+R"), preset="smoke"))
    assert campaign.variants == {
        CHORALES: ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+M"),
        CHARACTERS: ("rnn/softmax/SGD", "rnn/softmax/SGD+R"),
    }


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (("sgd+lc",), ["SGD+CL"]),
        (("SGD + C",), ["SGD+C"]),
        (("SGD", "+", "C"), ["SGD+C"]),
        (("SGD+C,SGD+L", "SGD+M,"), ["SGD+C", "SGD+L", "SGD+M"]),
        (("+R", "LC", "SGD+C+M", "sgd"), ["SGD+R", "SGD+CL", "SGD+CM", "SGD"]),
        (("ADAM+c", "hf"), ["Adam+C", "HF"]),
    ],
)
def test_a_name_may_be_written_as_people_write_it(asked, meant):
    campaign = resolve(CampaignRequest(corpora=(CHORALES,), variants=asked))
    assert campaign == resolve(CampaignRequest(corpora=(CHORALES,), variants=tuple(meant)))
    assert set(campaign.variants[CHORALES]) == {f"rnn/bernoulli/{name}" for name in ("SGD", *meant)}


def test_a_whole_name_may_too():
    campaign = resolve(CampaignRequest(corpora=(CHORALES,), variants=("LSTM/Nade/sgd + mc",)))
    assert campaign.variants[CHORALES][-1] == "lstm/nade/SGD+CM"


def test_corpora_may_be_joined_by_commas():
    assert resolve(CampaignRequest(corpora=(f"{CHORALES},{WORDS}", f"{CHARACTERS},"))) == resolve(
        CampaignRequest(corpora=(CHORALES, WORDS, CHARACTERS))
    )


def test_a_corpus_of_the_preset_that_no_variant_goes_with_is_left_out():
    asked = CampaignRequest(preset="thorough", variants=("rnn/nade/SGD+CM", "rnn/nade/SGD+CMP"))
    campaign = resolve(asked)
    assert campaign.variants == {CHORALES: ("rnn/bernoulli/SGD", "rnn/nade/SGD", "rnn/nade/SGD+CM", "rnn/nade/SGD+CMP")}
    assert campaign.kinds == {CHORALES: "music"}
    assert campaign.left_out == dict.fromkeys((CHARACTERS, WORDS), "wants softmax or classes")
    asked = CampaignRequest(variants=("rnn/nade/SGD+CM",), corpora=(CHORALES, CHARACTERS))
    with pytest.raises(ConfigurationError, match=f"none is for {CHARACTERS}: wants softmax or classes"):
        resolve(asked)


def test_a_core_is_named_in_full_and_compared_with_plain_sgd_of_its_own():
    campaign = resolve(CampaignRequest(variants=("lstm/bernoulli/SGD+C", "gru/softmax/SGD", "SGD+M"), preset="smoke"))
    assert campaign.variants == {
        CHORALES: ("rnn/bernoulli/SGD", "lstm/bernoulli/SGD", "lstm/bernoulli/SGD+C", "rnn/bernoulli/SGD+M"),
        CHARACTERS: ("rnn/softmax/SGD", "gru/softmax/SGD", "rnn/softmax/SGD+M"),
    }


@pytest.mark.parametrize(("corpus", "variant"), [(CHORALES, "rnn/softmax/SGD+C"), (WORDS, "rnn/bernoulli/SGD+C")])
def test_only_full_names_of_the_other_kind_leave_nothing(corpus, variant):
    with pytest.raises(ConfigurationError) as caught:
        resolve(CampaignRequest(corpora=(corpus,), variants=(variant,)))
    output = "bernoulli" if corpus == CHORALES else "softmax"
    assert [part for part in (corpus, variant, output) if part not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


def test_one_variant_under_several_names_is_one():
    names = ("SGD+CL", "SGD+LC", "rnn/bernoulli/SGD+LC", "SGD+")
    campaign = resolve(CampaignRequest(corpora=(CHORALES,), variants=names))
    assert campaign.variants[CHORALES] == ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+CL")


def test_a_corpus_that_the_preset_does_not_name_gets_the_variants_of_its_kind():
    campaign = resolve(CampaignRequest(preset="smoke", corpora=(WORDS,)))
    assert campaign.kinds == {WORDS: "words"}
    assert campaign.variants == {WORDS: ("rnn/softmax/SGD", "rnn/softmax/SGD+C")}


def test_a_placebo_comes_last_on_every_corpus():
    for asked in (("SGD+C", "HF"), None):
        campaign = resolve(CampaignRequest(preset="thorough", variants=asked, placebo=True))
        own = resolve(CampaignRequest(preset="thorough", variants=asked))
        for corpus, output in ((CHORALES, "bernoulli"), (CHARACTERS, "softmax"), (WORDS, "softmax")):
            assert campaign.variants[corpus] == (*own.variants[corpus], f"rnn/{output}/SGD+Z")


def test_without_sizes_the_preset_decides():
    campaign = resolve(CampaignRequest(preset="thorough"))
    preset = PRESETS["thorough"]
    assert (campaign.name, campaign.trials, campaign.seeds) == ("thorough", preset.trials, preset.seeds)
    assert campaign.seed == 0
    for corpus, kind in campaign.kinds.items():
        written = preset.kinds[kind].ranges
        assert written.items() <= campaign.spaces[corpus].ranges.items()
    assert tuple(campaign.variants) == preset.corpora


def test_the_sizes_of_a_request_replace_those_of_the_preset():
    before = resolve(CampaignRequest()).spaces
    campaign = resolve(CampaignRequest(trials=7, seeds=1, epochs=5, seed=11))
    assert (campaign.trials, campaign.seeds, campaign.seed) == (7, 1, 11)
    assert campaign.spaces == {corpus: space.having(epochs=5) for corpus, space in before.items()}
    assert resolve(CampaignRequest()).spaces == before


def test_seed_zero_is_a_seed():
    assert resolve(CampaignRequest(seed=0)) == resolve(CampaignRequest())
    assert resolve(CampaignRequest(seed=1)) != resolve(CampaignRequest())


def test_the_seed_may_be_that_of_the_day_or_the_week(monkeypatch):
    monkeypatch.setattr("infra.server.schedule.due", lambda: datetime(2026, 11, 28, 4, tzinfo=UTC))
    assert resolve(CampaignRequest(seed="day")).seed == 20261128
    assert resolve(CampaignRequest(seed="week")).seed == 202648
    assert resolve(CampaignRequest(seed="week")) == resolve(CampaignRequest(seed=202648))


def test_the_default_campaign_is_about_the_techniques_of_the_paper():
    letters = resolve(CampaignRequest()).variants[CHORALES]
    alone = [f"rnn/bernoulli/SGD+{letter}" for letter in "CLRM"]
    assert set(alone) < set(letters)
    for letter in "CLRM":
        assert len(technique_pairs(letters, letter)) == 2, "alone, and beside others"


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        ({}, ()),
        ({"seed": 7}, ()),
        ({"preset": "thorough", "seed": 3}, ()),
        ({"trials": 12, "seeds": 1, "studies": 5, "rungs": 3}, ()),
        ({"corpora": ("folk-tunes-characters", CHORALES)}, ()),
        ({"trials": 5}, ("trials",)),
        ({"studies": 4, "rungs": 1}, ("studies", "rungs")),
        ({"corpora": (CHORALES,), "seeds": 3}, ("corpora", "seeds")),
        ({"corpora": (CHORALES,), "epochs": 9}, ("corpora",)),
        ({"epochs": 8}, ("epochs",)),
        ({"variants": ("SGD+C",)}, ("variants",)),
        ({"preset": "smoke", "variants": ("SGD+C",)}, ()),
    ],
)
def test_what_is_asked_otherwise_than_the_preset_is_a_change(asked, changes):
    campaign = resolve(CampaignRequest(**asked))
    assert campaign.changes == changes
    assert campaign.to_json()["changes"] == list(changes)


def test_other_intervals_of_the_search_are_a_change():
    campaign = resolve(CampaignRequest(preset="smoke"))
    spaces = {corpus: space.having(batch=3) for corpus, space in campaign.spaces.items()}
    assert replace(campaign, spaces=spaces).changes == ("spaces",)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_resolves_to_known_corpora_with_a_space_each(name):
    campaign = resolve(CampaignRequest(preset=name))
    assert set(campaign.variants) <= set(known_corpora())
    assert PRESETS[name].title
    for corpus, variants in campaign.variants.items():
        assert variants[0] in ("rnn/bernoulli/SGD", "rnn/softmax/SGD")
        assert len(set(variants)) == len(variants) > 1
        assert campaign.spaces[corpus].ends("hidden_size") >= (20, 20)


def test_the_thorough_preset_covers_every_subset_on_the_chorales_and_four_on_text():
    campaign = resolve(CampaignRequest(preset="thorough"))
    subsets = ["+" + letters if letters else "" for letters in all_subsets("CLRM")]
    assert len(subsets) == 16
    assert list(campaign.variants[CHORALES])[:16] == [f"rnn/bernoulli/SGD{letters}" for letters in subsets]
    for corpus in (CHARACTERS, WORDS):
        first = list(campaign.variants[corpus])[:4]
        assert first == [f"rnn/softmax/SGD{letters}" for letters in ("", "+C", "+CL", "+CLR")]
    # Each yardstick beside the plain variant that it is compared with, on the data that its output model fits.
    for variants in campaign.variants.values():
        for name in variants:
            variant = Variant.parse(name)
            assert str(Variant(variant.core, variant.output)) in variants
    assert {"rnn/nade/SGD", "rnn/nade/SGD+CM", "rnn/bernoulli/Adam+C"} <= set(campaign.variants[CHORALES])
    assert "rnn/classes/SGD+C" in campaign.variants[WORDS]


def test_the_thorough_preset_has_the_sizes_of_the_paper():
    music, characters, words = (
        resolve(CampaignRequest(preset="thorough")).spaces[corpus].to_json() for corpus in (CHORALES, CHARACTERS, WORDS)
    )
    assert [space["chunk"] for space in (music, characters, words)] == [100, 150, 40]
    assert music["hidden_size"] == {"low": 100, "high": 400}
    assert music["learning_rate"] == {"low": 1e-4, "high": 1e-1, "scale": "log"}
    assert music["momentum"] == {"low": 1e-3, "high": 0.95, "scale": "reverse-log"}
    assert music["l1"] == {"low": 1e-6, "high": 1e-3, "scale": "log"}
    assert (characters["hidden_size"], characters["learning_rate"]) == (500, [0.5, 0.1, 0.01])
    assert (words["hidden_size"], words["learning_rate"]) == (200, [0.1, 0.01, 0.001])


def test_an_optimizer_keeps_its_own_learning_rates_unless_a_variant_is_given_others():
    own = resolve(CampaignRequest(preset="smoke", variants=("SGD", "HF", "Adam"), corpora=(CHORALES,))).spaces[CHORALES]
    rates = {name: own.of(f"rnn/bernoulli/{name}")["learning_rate"] for name in ("SGD", "HF", "Adam")}
    assert rates == {
        "SGD": Interval(1e-4, 1e-1, "log"),
        "HF": Interval(1.0, 100.0, "log"),
        "Adam": Interval(1e-4, 1e-2, "log"),
    }
    written = _written({"variants": ["SGD", "Adam"], "rnn/bernoulli/Adam": {"learning_rate": 0.5, "epochs": [2, 4]}})
    space = resolve(CampaignRequest(campaign=written)).spaces[CHORALES]
    assert space.of("rnn/bernoulli/Adam")["learning_rate"] == Values((0.5,))
    assert space.of("rnn/bernoulli/SGD")["learning_rate"] == Interval(1e-4, 1e-1, "log")
    assert (space.rungs("rnn/bernoulli/Adam"), space.rungs("rnn/bernoulli/SGD")) == ((2, 4), (2,))
    # what a request asks of all it asks of that variant as well
    shorter = resolve(CampaignRequest(campaign=written, epochs=1)).spaces[CHORALES]
    assert shorter.rungs("rnn/bernoulli/Adam") == shorter.rungs("rnn/bernoulli/SGD") == (1,)
    halved = resolve(CampaignRequest(campaign=written, rungs=2)).spaces[CHORALES]
    assert halved.rungs("rnn/bernoulli/Adam") == (4,)


def _written(music: dict[str, Any]) -> dict[str, Any]:
    """A file about the chorales."""
    sizes = {"hidden_size": 20, "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"}, "chunk": 100}
    written = {"name": "mine", "corpora": [CHORALES], "trials": 2, "seeds": 1}
    return {**written, "music": {**sizes, "batch": 8, "epochs": 2, **music}}


def test_a_file_is_resolved_like_a_preset_and_its_changes_are_held_against_it():
    written = _written({"variants": ["SGD+M"], "momentum": [0.5, 0.9], "decay": 0.9}) | {"seed": 7, "rungs": 2}
    campaign = resolve(CampaignRequest(campaign=written))
    assert campaign.variants == {CHORALES: ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+M")}
    assert (campaign.name, campaign.seed, campaign.rungs, campaign.changes) == ("mine", 7, 2, ())
    momenta = {draw_trial(campaign, CHORALES, "", "rnn/bernoulli/SGD+M", i).technique("M").momentum for i in (0, 1)}
    assert momenta == {0.5, 0.9}
    changed = resolve(CampaignRequest(campaign=written, trials=3, epochs=1, seed=8))
    assert (changed.seed, changed.changes) == (8, ("trials", "epochs"))


def test_a_file_with_the_name_of_a_preset_is_held_against_the_preset():
    same = resolve(CampaignRequest(preset="smoke"))
    again = resolve(CampaignRequest(campaign=tomllib.loads(campaign_text(same.to_json()))))
    assert (again.name, again.changes) == ("smoke", ())
    other = tomllib.loads(campaign_text(resolve(CampaignRequest(preset="smoke", seeds=1)).to_json()))
    assert resolve(CampaignRequest(campaign=other)).changes == ("seeds",)


def test_what_one_corpus_has_otherwise_goes_before_what_its_kind_has():
    written = _written({"variants": ["SGD", "SGD+C"], "threshold": 3.0, "rnn/bernoulli/SGD+C": {"batch": 4}})
    written |= {"corpora": [CHORALES, "jsb-chorales"], "corpus": {"jsb-chorales": {"variants": ["SGD+C"], "batch": 5}}}
    campaign = resolve(CampaignRequest(campaign=written))
    assert campaign.variants == dict.fromkeys(campaign.variants, ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C"))
    batches = {
        corpus: [space.of(f"rnn/bernoulli/{name}")["batch"].to_json() for name in ("SGD", "SGD+C")]
        for corpus, space in campaign.spaces.items()
    }
    assert batches == {CHORALES: [8, 4], "jsb-chorales": [5, 4]}


def test_the_budget_as_json_speaks_of_the_corpora_in_use_alone():
    values = resolve(CampaignRequest(corpora=(CHARACTERS,), variants=("SGD+C",), trials=6, epochs=9)).to_json()
    assert values["corpora"] == {CHARACTERS: ["rnn/softmax/SGD", "rnn/softmax/SGD+C"]}
    assert (values["preset"], values["trials_per_variant"], values["seeds"], values["seed"]) == ("default", 30, 1, 0)
    assert (values["studies"], values["trials_per_study"], values["rungs"]) == (5, 6, 3)
    assert values["epochs"] == {CHARACTERS: 9}
    assert list(values["spaces"]) == [CHARACTERS]
    assert values["spaces"][CHARACTERS]["learning_rate"] == [0.5, 0.1, 0.01]


def test_a_preset_runs_on_the_corpora_that_are_there_and_says_how_to_bring_the_others(monkeypatch):
    store = Store(f"memory://{uuid4().hex}")
    monkeypatch.delenv("COUNTERPOINT_DATA", raising=False)
    with pytest.raises(ConfigurationError, match="prefect run ingest jsb-chorales --from ADDRESS") as caught:
        resolve(CampaignRequest(preset="paper"), store)
    assert len(str(caught.value).splitlines()) == 1
    give_name(store, "nottingham", Named("a" * 64, "music", 1))
    campaign = resolve(CampaignRequest(preset="paper"), store)
    assert list(campaign.variants) == ["nottingham"]
    assert list(campaign.left_out) == ["jsb-chorales", "piano-midi.de", "musedata"]
    assert "corpora" in campaign.changes
    # who names a corpus is told by the ingest what it needs; who has the data sets needs no store
    assert list(resolve(CampaignRequest(preset="paper", corpora=("musedata",)), store).variants) == ["musedata"]
    monkeypatch.setenv("COUNTERPOINT_DATA", "/somewhere")
    assert resolve(CampaignRequest(preset="paper"), store).changes == ()


def test_the_papers_preset_has_the_papers_rows_and_nothing_that_it_does_not_have():
    campaign = resolve(CampaignRequest(preset="paper"))
    for corpus, variants in campaign.variants.items():
        letters = all_subsets("CLRM") if corpus == "jsb-chorales" else ("", *"CLRM", "CL", "CLR", "CRM", "CLRM")
        plain = ["rnn/bernoulli/SGD" + (f"+{each}" if each else "") for each in letters]
        assert {*plain, "rnn/bernoulli/HF", "rnn/nade/SGD+CRM", "rnn/nade/HF", "rnn/rbm/SGD"} <= set(variants)
        space = campaign.spaces[corpus].to_json()
        assert (space["input_dropout"], space["output_dropout"], space["batch"], space["chunk"]) == (0.0, 0.0, 1, 100)
        assert space["hidden_size"] == {"low": 100, "high": 400}
        assert space["learning_rate"] == {"low": 1e-4, "high": 1e-1, "scale": "log"}


def test_the_papers_preset_of_text_has_its_sizes_its_rows_and_one_full_softmax(monkeypatch):
    campaign = resolve(CampaignRequest(preset="paper-text"))
    rows = ("", "+C", "+CL", "+CLR", "+CM")
    words, characters = "penn-treebank-words", "penn-treebank-characters"
    assert campaign.variants[words] == ("rnn/softmax/SGD", *(f"rnn/classes/SGD{row}" for row in rows))
    assert campaign.variants[characters] == tuple(f"rnn/softmax/SGD{row}" for row in rows)
    sizes = {name: (space.ranges["hidden_size"], space.ranges["chunk"]) for name, space in campaign.spaces.items()}
    assert sizes == {words: (Values((200,)), Values((40,))), characters: (Values((500,)), Values((150,)))}
    assert draw_trial(campaign, words, "0" * 64, "rnn/classes/SGD", 0).output_settings == ClassSettings(30)
    monkeypatch.delenv("COUNTERPOINT_DATA", raising=False)
    store = Store(f"memory://{uuid4().hex}")
    give_name(store, words, Named("a" * 64, "words", 1))
    left_out = resolve(CampaignRequest(preset="paper-text"), store).left_out
    assert list(left_out) == [characters]
    assert "prefect run ingest penn-treebank-characters --from ADDRESS" in left_out[characters]


def test_the_best_preset_is_of_the_official_music_with_what_is_not_the_papers():
    campaign = resolve(CampaignRequest(preset="best"))
    assert set(campaign.variants) == set(resolve(CampaignRequest(preset="paper")).variants)
    for corpus, variants in campaign.variants.items():
        assert {"rnn/bernoulli/SGD+C", "rnn/nade/SGD+C"} < set(variants)
        drawn = [draw_trial(campaign, corpus, "0" * 64, variant, i) for variant in variants for i in range(9)]
        assert all(trial.averaging > 0 and trial.output_dropout > 0 for trial in drawn)
