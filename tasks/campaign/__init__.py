"""Campaigns: a request, with a preset or a user's own campaign file, is resolved into a `Campaign`.

    request.json -> resolve -> Campaign       corpora, variants, sizes, and the search space of the trials
    presets/*.toml, my.toml -> Preset         the same, before the request's changes

Never in this room: reading trials or results from a store.
"""

from tasks.campaign.campaign import Campaign
from tasks.campaign.preset import Preset, Section
from tasks.campaign.presets import PRESETS
from tasks.campaign.resolve import resolve
from tasks.campaign.space import Space
from tasks.campaign.text import campaign_text
from tasks.campaign.variants import output_for

__all__ = ["PRESETS", "Campaign", "Preset", "Section", "Space", "campaign_text", "output_for", "resolve"]
