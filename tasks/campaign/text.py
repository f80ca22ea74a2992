"""Write a campaign as a TOML file, which reproduces it."""

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import Table

SIZES = {"studies": "studies", "trials": "trials_per_study", "rungs": "rungs", "seeds": "seeds", "seed": "seed"}
"""The sizes of a campaign: their names in files and options, and those in `Campaign.to_json`."""


def campaign_text(campaign: Mapping[str, Any]) -> str:
    """TOML with every number of a campaign, defaults included.

    Args:
        campaign: the result of `Campaign.to_json`.
    """
    document = tomlkit.document()
    for name, value in {"name": campaign["preset"], "title": campaign["title"]}.items():
        document.add(name, value)
    for name, key in SIZES.items():
        document.add(name, campaign[key])
    document.add("corpora", list(campaign["corpora"]))
    tables = tomlkit.table(is_super_table=True)
    for corpus, variants in campaign["corpora"].items():
        names = tomlkit.array()
        names.extend(variants)
        tables.add(corpus, _table({"variants": names.multiline(True)} | campaign["spaces"][corpus]))
    document.add("corpus", tables)
    return tomlkit.dumps(document)


def _table(rows: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    for name, value in rows.items():
        if isinstance(value, Mapping) and "/" not in name:
            interval = tomlkit.inline_table()
            interval.update(value)
            table.add(name, interval)
        else:
            table.add(name, _table(value) if isinstance(value, Mapping) else value)
    return table
