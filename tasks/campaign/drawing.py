"""A trial drawn for a variant from what a campaign draws from.

The i-th trials of all variants in one study of a corpus share every number that they have in common: same learning
rate, same units, same seed. So every variant has the same budget, and two variants differ by their techniques alone.
The draws are spread over the intervals (`Draws`): of n named values none comes twice before each came once. Another
study has draws and seeds of its own, and another luck.

What this does not do: choose (`search.py`), or train (`train.py`).
"""

from models.randomness import Draws
from models.seeds import seed_for
from models.trial import Trial
from models.variants import Variant
from tasks.campaign import Campaign
from tasks.campaign.drawn import draw_fields

_SEEDS = 2**31


def draw_trial(campaign: Campaign, corpus: str, digest: str, variant: str, index: int, study: int = 0) -> Trial:
    """The trial of a variant with that index in a study, from the ranges of the campaign, of all its epochs."""
    names = _names(campaign, corpus, "search", study)
    draws = Draws(*names, index=index, given=campaign.spaces[corpus].of(variant))
    fields = draw_fields(Variant.parse(variant), campaign.kinds[corpus], draws)
    return Trial(corpus=digest, seed=seed_for(*names, index) % _SEEDS, **fields)


def fresh_seed(campaign: Campaign, corpus: str, number: int, study: int = 0) -> int:
    """The seed with that number for what a study chooses: the same for every variant of a corpus."""
    return seed_for(*_names(campaign, corpus, "final", study), number) % _SEEDS


def _names(campaign: Campaign, corpus: str, purpose: str, study: int) -> tuple[object, ...]:
    """What tells the random numbers of a study from others; the first is named as when there was one alone."""
    return (campaign.seed, corpus, purpose, *(("study", study) if study else ()))
