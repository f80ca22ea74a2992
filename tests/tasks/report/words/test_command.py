"""The command on the page: typed, it asks for the campaign that the page is about, or the page says what it cannot."""

import shlex
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run_app
from infra.settings import CampaignRequest
from tasks.campaign import PRESETS, Campaign, campaign_text, resolve
from tasks.report.words.command import reproduce_command

CHORALES, CHARACTERS, WORDS = "bach-chorales", "folk-tunes-characters", "folk-tunes-words"


def _typed(line: str) -> Campaign:
    """The campaign that the command line understands."""
    program, run, *words = shlex.split(line)
    assert (program, run) == ("prefect", "run")
    _, bound, _ = run_app.parse_args(words, exit_on_error=False)
    return resolve(bound.arguments["campaign"].request())


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, ""),
        ({"preset": "smoke"}, ""),
        ({"preset": "thorough", "seed": 20261003}, "--seed 20261003"),
        ({"studies": 5, "trials": 12, "rungs": 3, "seeds": 1, "seed": 0}, ""),
        ({"trials": 7, "seeds": 3}, "--trials 7 --seeds 3"),
        ({"studies": 2, "rungs": 2}, "--studies 2 --rungs 2"),
        ({"corpora": [WORDS, CHORALES]}, f"--corpora {WORDS} {CHORALES}"),
        ({"preset": "smoke", "corpora": [WORDS]}, f"--corpora {WORDS}"),
        ({"variants": ["SGD+CL"]}, "--variants SGD SGD+CL"),
        ({"variants": ["SGD"]}, "--variants SGD"),
        (
            {"corpora": [CHORALES], "variants": ["rnn/nade/SGD+C", "SGD+C", "lstm/bernoulli/SGD"]},
            f"--corpora {CHORALES} --variants SGD rnn/nade/SGD rnn/nade/SGD+C SGD+C lstm/bernoulli/SGD",
        ),
        (
            {"corpora": [CHORALES, WORDS], "variants": ["rnn/bernoulli/SGD+M", "rnn/softmax/SGD+R", "SGD+C"]},
            f"--corpora {CHORALES} {WORDS} --variants rnn/bernoulli/SGD rnn/bernoulli/SGD+M rnn/bernoulli/SGD+C"
            " rnn/softmax/SGD rnn/softmax/SGD+R rnn/softmax/SGD+C",
        ),
        ({"epochs": 5}, "--epochs 5"),
        ({"corpora": [CHORALES], "epochs": 9}, f"--corpora {CHORALES}"),
    ],
)
def test_the_command_asks_for_exactly_this_campaign(asked: dict[str, Any], options: str):
    campaign = resolve(CampaignRequest(**asked))
    command = reproduce_command(campaign.to_json())
    assert command.beyond == ()
    assert command.line == f"prefect run reproduce --preset {campaign.name} {options}".rstrip()
    typed = _typed(command.line)
    assert list(typed.variants) == list(campaign.variants)
    assert typed.to_json() == campaign.to_json()


def test_the_command_asks_for_a_campaign_of_before_a_hyper_parameter_had_a_name():
    campaign = resolve(CampaignRequest(preset="smoke", variants=("SGD+CL",))).to_json()
    known = reproduce_command(campaign)
    for space in campaign["spaces"].values():
        del space["transposition"], space["averaging"]
    assert reproduce_command(campaign) == known
    assert known.line == "prefect run reproduce --preset smoke --variants SGD SGD+CL"
    for space in campaign["spaces"].values():
        space["averaging"] = 0.5
    assert "--campaign campaign.toml" in reproduce_command(campaign).line


def _as_a_file(campaign: Campaign, folder: Path) -> Campaign:
    """The campaign that the file of its report asks for, typed as the page says."""
    command = reproduce_command(campaign.to_json())
    assert command.line == "prefect run reproduce --campaign campaign.toml"
    assert command.beyond == ("campaign.toml lies beside this page.",)
    (folder / "campaign.toml").write_text(campaign_text(campaign.to_json()), encoding="utf-8")
    return _typed(command.line.replace("campaign.toml", str(folder / "campaign.toml")))


def test_what_no_option_asks_for_is_asked_for_by_a_file(tmp_path: Path):
    default = resolve(CampaignRequest(preset="smoke", corpora=(CHORALES, CHARACTERS, WORDS)))
    longer = {**default.spaces, CHORALES: default.spaces[CHORALES].having(epochs=40)}
    wider = {**default.spaces, WORDS: default.spaces[WORDS].having(batch=3)}
    variants = {**default.variants, CHARACTERS: ("rnn/softmax/SGD", "rnn/softmax/SGD+L")}
    spaces = {**default.spaces, CHARACTERS: resolve(CampaignRequest(variants=("SGD+L",))).spaces[CHARACTERS]}
    for changes in ({"spaces": longer}, {"spaces": wider}, {"variants": variants, "spaces": spaces}):
        campaign = replace(default, **changes)
        assert _as_a_file(campaign, tmp_path).to_json() == campaign.to_json() | {"changes": list(campaign.changes)}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_the_same_as_a_file(name: str):
    campaign = resolve(CampaignRequest(preset=name, variants=("SGD+CLRM", "HF", "Adam+C", "rnn/nade/SGD+P"), seed=3))
    written = tomllib.loads(campaign_text(campaign.to_json()))
    again = resolve(CampaignRequest(campaign=written))
    assert again.spaces == campaign.spaces
    assert again.to_json() == campaign.to_json()


def test_a_file_of_ones_own_and_a_preset_that_is_gone_are_asked_for_by_the_file(tmp_path: Path):
    written = tomllib.loads(campaign_text(resolve(CampaignRequest(preset="smoke")).to_json())) | {"name": "mine"}
    campaign = resolve(CampaignRequest(campaign=written))
    assert _as_a_file(campaign, tmp_path) == campaign
