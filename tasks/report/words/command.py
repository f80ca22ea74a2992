"""The command that runs a campaign again.

The command is checked before it is shown: it is resolved in the same way as by the command line. If no options give
exactly this campaign, the command names the campaign file beside the page. What this does not do: run anything.
"""

import json
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from infra.errors import ConfigurationError
from infra.settings import CampaignRequest
from models.data_kinds import Kind
from models.variants import Variant
from tasks.campaign import campaign_text, resolve
from tasks.campaign.text import SIZES
from tasks.campaign.variants import output_for

FILE = "campaign.toml"
"""The file of a report that asks for its campaign."""
_UNSAID = frozenset(f"{Variant().core}/{output_for(kind)}" for kind in get_args(Kind))
"""Cores and output models that a short name of a variant has without saying so."""


@dataclass(frozen=True)
class Command:
    """A command, and what must be said about it.

    Attributes:
        line: what to type.
        beyond: sentences; none if the line says everything.
    """

    line: str
    beyond: tuple[str, ...] = ()


def reproduce_command(campaign: Mapping[str, Any]) -> Command:
    """The command that asks for a campaign, with every option that is not the preset's own.

    Args:
        campaign: what `tasks.campaign.Campaign.to_json` says.
    """
    try:
        options = _options(campaign)
        # as a file it is asked for with what older code had no names for, at values that change no trial
        whole = _asked_by({"campaign": tomllib.loads(campaign_text(campaign))})
        if _told(_asked_by(options)) == _told(whole):
            words = [word for name, value in options.items() for word in (f"--{name}", *_words(value))]
            return Command(shlex.join(["prefect", "run", "reproduce", *words]))
    except ConfigurationError:
        pass  # a file's own name, a corpus of the store: the file asks for them
    return Command(f"prefect run reproduce --campaign {FILE}", (f"{FILE} lies beside this page.",))


def _told(campaign: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the trials of a campaign: all but what it is called."""
    told: dict[str, Any] = json.loads(json.dumps(campaign))
    told["corpora"] = {corpus: sorted(names) for corpus, names in told["corpora"].items()}
    return {name: value for name, value in told.items() if name not in ("preset", "title", "changes")}


def _words(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _asked_by(options: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign that a command with these options asks for, as the report tells it."""
    asked: dict[str, Any] = json.loads(json.dumps(resolve(CampaignRequest(**options)).to_json()))
    return asked


def _options(campaign: Mapping[str, Any]) -> dict[str, Any]:
    corpora = campaign["corpora"]
    options: dict[str, Any] = {"preset": campaign["preset"]}
    if list(corpora) != list(_asked_by(options)["corpora"]):
        options["corpora"] = list(corpora)
    own = _asked_by(options)
    if _told(campaign)["corpora"] != _told(own)["corpora"]:
        options["variants"] = _variants(corpora)
    options |= {option: campaign[key] for option, key in SIZES.items() if campaign[key] != own[key]}
    epochs = set(campaign["epochs"].values())
    if campaign["epochs"] != own["epochs"] and len(epochs) == 1:
        options["epochs"] = epochs.pop()
    return options


def _short(name: str) -> str:
    start, slash, tail = name.rpartition("/")
    return tail if start in _UNSAID else start + slash + tail


def _variants(corpora: Mapping[str, list[str]]) -> list[str]:
    """Short names where all corpora have the same variants; else whole ones, which are for their own kind of data.

    Of a core or an output model that is not the one of its kind of data a name has no shorter form.
    """
    short = [[_short(name) for name in names] for names in corpora.values()]
    if all(set(names) == set(short[0]) for names in short):
        return short[0]
    return list(dict.fromkeys(name for names in corpora.values() for name in names))
