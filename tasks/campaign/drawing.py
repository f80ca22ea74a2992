"""Draw a trial of a variant from the campaign's search space.

The i-th trials of all variants in one study of a corpus share every hyper-parameter that they have in common: the same
learning rate, the same number of units, the same seed. So every variant has the same budget, and two variants differ
only by their techniques. The draws are stratified over the intervals (`Draws`): of n listed values, none is drawn a
second time before each was drawn once. Another study has its own draws and seeds.

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
    """The trial of a variant with that index in a study, drawn from the campaign's ranges, with the full epochs."""
    names = _names(campaign, corpus, "search", study)
    draws = Draws(*names, index=index, given=campaign.spaces[corpus].of(variant))
    fields = draw_fields(Variant.parse(variant), campaign.kinds[corpus], draws)
    return Trial(corpus=digest, seed=seed_for(*names, index) % _SEEDS, **fields)


def fresh_seed(campaign: Campaign, corpus: str, number: int, study: int = 0) -> int:
    """The fresh seed with that number for a study's final trials; the same for every variant of a corpus."""
    return seed_for(*_names(campaign, corpus, "final", study), number) % _SEEDS


def _names(campaign: Campaign, corpus: str, purpose: str, study: int) -> tuple[object, ...]:
    """The names of a study's random stream. Study 0 adds no name, so that campaigns older than studies keep theirs."""
    return (campaign.seed, corpus, purpose, *(("study", study) if study else ()))
