"""What to type to run a campaign again.

The command is checked here before it is shown: it is resolved as the command line would, and what then is not this
campaign is said in words. What this does not do: run anything.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.errors import ConfigurationError
from infra.settings import CampaignRequest
from tasks.campaign import resolve
from tasks.report.text import joined

_SIZES = {"studies": "studies", "trials": "trials_per_study", "rungs": "rungs", "seeds": "seeds", "seed": "seed"}


@dataclass(frozen=True)
class Command:
    """A command and its truth.

    Attributes:
        line: what to type.
        beyond: sentences on what no option can say of the campaign; none where the command asks exactly for it.
    """

    line: str
    beyond: tuple[str, ...] = ()


def reproduce_command(campaign: Mapping[str, Any]) -> Command:
    """The command that asks for a campaign, with every option that is not the preset's own.

    Args:
        campaign: what `tasks.campaign.Campaign.to_json` says.
    """
    preset = {"preset": campaign["preset"]}
    try:
        options = _options(campaign, preset)
        beyond = _beyond(campaign, _asked_by(options))
    except ConfigurationError as error:
        options, beyond = preset, (f"This version cannot ask for it: {error}.",)
    words = [word for name, value in options.items() for word in (f"--{name}", *_words(value))]
    return Command(shlex.join(["prefect", "run", "reproduce", *words]), beyond)


def _words(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _asked_by(options: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign that a command with these options asks for, as the report tells it."""
    asked: dict[str, Any] = json.loads(json.dumps(resolve(CampaignRequest(**options)).to_json()))
    return asked


def _options(campaign: Mapping[str, Any], preset: dict[str, Any]) -> dict[str, Any]:
    corpora = campaign["corpora"]
    options = dict(preset)
    if list(corpora) != list(_asked_by(preset)["corpora"]):
        options["corpora"] = list(corpora)
    own = _asked_by(options)
    if not _same_variants(corpora, own["corpora"]):
        options["variants"] = _variants(corpora)
    options |= {option: campaign[key] for option, key in _SIZES.items() if campaign[key] != own[key]}
    epochs = set(campaign["epochs"].values())
    if campaign["epochs"] != own["epochs"] and len(epochs) == 1:
        options["epochs"] = epochs.pop()
    return options


def _variants(corpora: Mapping[str, list[str]]) -> list[str]:
    """Short names where all corpora have the same variants; else whole ones, which are for their own kind of data."""
    short = [[name.rpartition("/")[2] for name in names] for names in corpora.values()]
    if all(set(names) == set(short[0]) for names in short):
        return short[0]
    return list(dict.fromkeys(name for names in corpora.values() for name in names))


def _same_variants(some: Mapping[str, list[str]], others: Mapping[str, list[str]]) -> bool:
    """Whether the variants of every corpus are the same, in any order."""
    return {corpus: set(names) for corpus, names in some.items()} == {k: set(names) for k, names in others.items()}


def _beyond(campaign: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[str, ...]:
    said = []
    if not _same_variants(campaign["corpora"], asked["corpora"]):
        fewer = [
            f"{corpus} had only {joined(names)}"
            for corpus, names in campaign["corpora"].items()
            if set(names) != set(asked["corpora"][corpus])
        ]
        said.append(f"No option gives two corpora of one kind different variants: here {'; '.join(fewer)}.")
    if campaign["epochs"] != asked["epochs"]:
        each = joined([f"{number} on {kind}" for kind, number in campaign["epochs"].items()])
        said.append(f"No option gives each kind of data its own number of epochs: here {each}.")
    spaces = json.loads(json.dumps(campaign.get("spaces", asked["spaces"])))
    if _without_epochs(spaces) != _without_epochs(asked["spaces"]):
        said.append("No option sets the intervals of the search: here they are those of Settings, not the preset's.")
    return tuple(said)


def _without_epochs(spaces: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {kind: {k: v for k, v in space.items() if k != "epochs"} for kind, space in spaces.items()}
