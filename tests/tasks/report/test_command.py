"""The command on the page: typed, it asks for the campaign that the page is about, or the page says what it cannot."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from infra.cli import run_app
from infra.settings import CampaignRequest
from tasks.campaign import Campaign, resolve
from tasks.report.command import reproduce_command

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
    assert command.line == f"prefect run reproduce --preset {campaign.preset} {options}".rstrip()
    typed = _typed(command.line)
    assert list(typed.variants) == list(campaign.variants)
    assert typed.to_json() == campaign.to_json()


def test_variants_of_one_kind_that_differ_are_said_in_words():
    variants = {CHARACTERS: ("rnn/softmax/SGD", "rnn/softmax/SGD+C"), WORDS: ("rnn/softmax/SGD", "rnn/softmax/SGD+L")}
    campaign = replace(resolve(CampaignRequest(corpora=(CHARACTERS, WORDS))), variants=variants)
    command = reproduce_command(campaign.to_json())
    assert command.beyond == (
        "No option gives two corpora of one kind different variants: here folk-tunes-characters had only "
        "rnn/softmax/SGD and rnn/softmax/SGD+C; folk-tunes-words had only rnn/softmax/SGD and rnn/softmax/SGD+L.",
    )
    typed = _typed(command.line)
    assert all(set(names) < set(typed.variants[corpus]) for corpus, names in variants.items())


def test_epochs_and_intervals_that_no_option_sets_are_said_in_words():
    default = resolve(CampaignRequest(preset="smoke", corpora=(CHORALES, CHARACTERS, WORDS)))
    longer = {**default.spaces, "music": replace(default.spaces["music"], epochs=40)}
    command = reproduce_command(replace(default, spaces=longer).to_json())
    assert command.line == f"prefect run reproduce --preset smoke --corpora {CHORALES} {CHARACTERS} {WORDS}"
    assert command.beyond == (
        "No option gives each kind of data its own number of epochs: here 40 on music, 1 on characters and 1 on words.",
    )
    wider = {**default.spaces, "words": replace(default.spaces["words"], batch=3)}
    (said,) = reproduce_command(replace(default, spaces=wider).to_json()).beyond
    assert "intervals of the search" in said


def test_a_preset_that_this_version_does_not_know_is_quoted_and_told():
    campaign = resolve(CampaignRequest()).to_json() | {"preset": "old one"}
    command = reproduce_command(campaign)
    assert command.line == "prefect run reproduce --preset 'old one'"
    assert "preset 'old one': there is none" in command.beyond[0]
