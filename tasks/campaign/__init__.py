"""What one run of the pipeline asks: a request and a preset, or a file of the person's own, resolved into a campaign.

    request.json -> resolve -> Campaign       corpora, variants, sizes, and what every trial is drawn from
    presets/*.toml, my.toml -> Preset         the same before a request says what it wants otherwise

What this does not do: draw a trial (`tasks/campaign/drawing.py`), or know what is stored of it.
"""

from tasks.campaign.campaign import Campaign
from tasks.campaign.preset import Preset, Section
from tasks.campaign.presets import PRESETS
from tasks.campaign.resolve import resolve
from tasks.campaign.space import Space
from tasks.campaign.text import campaign_text
from tasks.campaign.variants import output_for

__all__ = ["PRESETS", "Campaign", "Preset", "Section", "Space", "campaign_text", "output_for", "resolve"]
