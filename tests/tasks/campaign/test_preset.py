"""A campaign's file: every mistake is one line with the key and the mend."""

import re
from pathlib import Path
from typing import Any

import pytest

from flows.cli.options import Campaign
from infra.campaign_file import read_campaign
from infra.errors import ConfigurationError
from infra.settings import CampaignRequest
from models.ranges import Interval, Values
from tasks.campaign import PRESETS, resolve
from tasks.campaign.drawn import known_names
from tasks.campaign.presets import preset_text
from tests.documents import ROOT, blocks

GOOD = """
title = "mine"
corpora = ["bach-chorales"]
trials = 2
seeds = 1

[music]
variants = ["SGD", "SGD+C", "rnn/nade/SGD+L"]
hidden_size = {low = 10, high = 20}
learning_rate = {low = 1e-4, high = 1e-1, scale = "log"}
activation = ["tanh", "sigmoid"]
chunk = 100
batch = 8
epochs = [1, 3]
threshold = [15, 60]

[music."rnn/nade/SGD+L"]
nade_units = 10
leak_share = 0.5
"""


def _asked(text: str, folder: Path) -> CampaignRequest:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return Campaign(campaign=file).request()


def test_a_good_file_is_read(tmp_path: Path):
    campaign = resolve(_asked(GOOD, tmp_path))
    assert campaign.name == "mine"
    assert campaign.variants["bach-chorales"][-1] == "rnn/nade/SGD+L"
    assert campaign.spaces["bach-chorales"].rungs("rnn/bernoulli/SGD") == (1, 3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = 1", "seds = 1", "seds: not known here; seeds is"),
        ("seeds = 1", "", "seeds: missing"),
        ("seeds = 1", "seeds = 0", "seeds: wants a whole number from 1, got 0"),
        ("seeds = 1", "seeds = true", "seeds: wants a whole number from 1, got True"),
        ("seeds = 1", "seeds = 1\nseed = -1", "seed: wants a whole number from 0, got -1"),
        ('title = "mine"', 'title = """a\nb"""', "title: wants one line of text"),
        ('title = "mine"', 'name = "My Own"', "campaign 'My Own': name: wants lower-case letters"),
        ('corpora = ["bach-chorales"]', 'corpora = "bach-chorales"', "corpora: wants a list of names"),
        ('corpora = ["bach-chorales"]', "corpora = []", "corpora: wants a list of names"),
        ('corpora = ["bach-chorales"]', 'corpora = ["lakh"]', "corpus 'lakh': there is none"),
        ('corpora = ["bach-chorales"]', 'corpora = ["folk-tunes-words"]', "nothing is written of words"),
        ("[music]", "[musik]", "musik: not known here; music is"),
        ("seeds = 1", "seeds = 1\nwords = 3", "words: wants a table, [words], got 3"),
        ("batch = 8", "", "bach-chorales: batch: missing; write it in [music]"),
        ("batch = 8", "bach = 8", "[music] bach: not known here; batch is"),
        ("batch = 8", "batch = 0", "rnn/bernoulli/SGD: batch: wants an integer from 1, got 0"),
        ("batch = 8", 'batch = "all"', "batch: wants an integer from 1, got 'all'"),
        ("batch = 8", "batch = {low = 1, high = 2.5}", "batch: wants whole numbers, got an interval from 1 to 2.5"),
        ("batch = 8", "batch = [8, 0]", "batch: wants an integer from 1, got 0"),
        ("low = 10, high = 20", "low = 30, high = 20", "[music] hidden_size: an empty interval, low 30 and high 20"),
        ("low = 10, high = 20", "low = 10", "[music] hidden_size: an interval wants low, high"),
        ('scale = "log"', 'scale = "logarithm"', "[music] learning_rate: scale: wants one of linear, log"),
        ("low = 1e-4", "low = 0", "[music] learning_rate: low 0 has no logarithm"),
        ('"sigmoid"', '"swish"', "activation: wants one of tanh, sigmoid, relu, got 'swish'"),
        ("epochs = [1, 3]", "epochs = [3, 1]", "[music] epochs: rungs rise, each with more epochs than the one before"),
        ("epochs = [1, 3]", "epochs = [3, 3]", "[music] epochs: rungs rise"),
        ("epochs = [1, 3]", "epochs = 1.5", "[music] epochs: wants a whole number from 1, the same for all draws"),
        ("epochs = [1, 3]", "epochs = {low = 1, high = 3}", "[music] epochs: wants a whole number from 1"),
        ("threshold = [15, 60]", "threshold = []", "[music] threshold: an empty list"),
        ("threshold = [15, 60]", "threshold = [15, -60]", "SGD+C: clipping threshold: wants a finite number over 0"),
        ("batch = 8", "batch = 8\ntransposition = 1.5", "transposition: wants an integer from 0 to 127, got 1.5"),
        ("batch = 8", "batch = 8\naveraging = 1", "averaging: wants a number in [0, 1), got 1.0"),
        ("threshold = [15, 60]", 'threshold = "high"', "SGD+C: threshold: wants a number, got 'high'"),
        ('"SGD+C"', '"lstm/bernoulli/SGD+L"', "[music] variants: variant 'lstm/bernoulli/SGD+L': technique L"),
        ('"SGD+C"', '"SGD+X"', "[music] variants: "),
        ('"SGD+C"', "3", "[music] variants: wants a list of names"),
        ('[music."rnn/nade/SGD+L"]', '[music."rnn/nad/SGD+L"]', '[music."rnn/nad/SGD+L"]: '),
        ("leak_share = 0.5", "leak_share = 1.5", "rnn/nade/SGD+L: leaky share: wants a number in (0, 1]"),
        ("leak_share = 0.5", "threshold = 3", "rnn/nade/SGD+L: threshold: it has none"),
        ("leak_share = 0.5", "momentun = 0.5", '[music."rnn/nade/SGD+L"] momentun: not known here; momentum is'),
        ("leak_share = 0.5", "[corpus]\nbach-chorales = 3", 'corpus."bach-chorales": wants a table'),
        ("leak_share = 0.5", "[corpus.bach-chorales]\nbach = 3", '[corpus."bach-chorales"] bach: not known here'),
    ],
)
def test_a_mistake_is_one_line_with_its_key(old: str, new: str, said: str, tmp_path: Path):
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        resolve(_asked(GOOD.replace(old, new, 1), tmp_path))
    assert len(str(caught.value).splitlines()) == 1
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = ", "not TOML"),
        (b"\xff\xfe", "is no UTF-8"),
        (b"a = " + b"[" * 5000, "not TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(content: bytes | None, said: str, tmp_path: Path):
    file = tmp_path / "mine.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_campaign(file)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert str(file) in str(caught.value)


def test_a_file_and_a_preset_are_not_asked_together(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="--campaign, --preset: one of them at a time"):
        Campaign(campaign=file, preset="smoke").request()


def test_every_number_of_a_trial_can_be_written_in_a_file():
    music: set[str] = set(known_names("music"))
    assert music >= {
        *("hidden_size", "learning_rate", "batch", "chunk", "epochs", "patience", "decay", "cost", "initial_state"),
        *(
            "input_dropout",
            "output_dropout",
            "transposition",
            "averaging",
            "threshold",
            "momentum",
            "l1",
            "leak_share",
            "leak_reading",
            "leak_low",
        ),
        *("leak_high", "nade_units", "rbm_units", "cd_steps", "frame_epochs", "recurrent_epochs"),
    }


def test_the_file_of_the_documentation_is_a_campaign(tmp_path: Path):
    (block,) = [block for block in blocks() if block.language == "toml" and block.place.startswith("docs/campaigns")]
    campaign = resolve(_asked(block.text, tmp_path))
    chorales = campaign.spaces["bach-chorales"]
    assert chorales.of("rnn/nade/SGD+C")["nade_units"] == Interval(50, 100)
    assert (chorales.ranges["patience"], chorales.ranges["threshold"]) == (Values((5,)), Values((5, 15, 60)))
    assert campaign.spaces["folk-tunes-characters"].rungs("rnn/softmax/SGD") == (1, 4)


def test_the_table_of_the_documentation_has_every_key_and_no_other():
    table = (ROOT / "docs" / "campaigns.md").read_text(encoding="utf-8").partition("| key |")[2].partition("\n\n")[0]
    keys = {key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    own = known_names("music") - {"salt"}  # of the placebo, whose luck nobody chooses
    assert keys - {"variants"} == own


def test_every_preset_has_a_text_that_people_can_start_from():
    for name in PRESETS:
        assert preset_text(name).startswith('title = "')


def test_a_request_may_hold_the_tables_as_a_deployment_does(tmp_path: Path):
    asked: dict[str, Any] = {"campaign": read_campaign(_path(tmp_path)), "store": "s3://bucket/prefix"}
    assert resolve(CampaignRequest(**asked)) == resolve(_asked(GOOD, tmp_path))


def _path(folder: Path) -> Path:
    file = folder / "mine.toml"
    file.write_text(GOOD, encoding="utf-8")
    return file
