"""A trial drawn for a variant from the intervals of a campaign.

The i-th trials of all variants in one study of a corpus share every number that they have in common: same learning
rate, same units, same seed. So every variant has the same budget, and two variants differ by their techniques alone.
The draws are spread over the intervals (`Draws`): of n named values none comes twice before each came once. Another
study has draws and seeds of its own, and another luck.

What this does not do: choose (`search.py`), or train (`train.py`).
"""

from models.core.scan import Activation
from models.kinds import Kind
from models.randomness import Draws, seed_for
from models.techniques import Technique
from models.trial import Trial
from models.variants import BY_CORE, BY_LETTER, BY_OPTIMIZER, BY_OUTPUT, Variant
from tasks.campaign import Campaign, Space

_SEEDS = 2**31


def draw_trial(campaign: Campaign, corpus: str, digest: str, variant: str, index: int, study: int = 0) -> Trial:
    """The trial of a variant with that index in a study, from the intervals of the campaign, of all its epochs."""
    kind = campaign.kinds[corpus]
    space = campaign.spaces[kind]
    names = _names(campaign, corpus, "search", study)
    draws = Draws(*names, index=index)
    named = Variant.parse(variant)
    remembers = BY_CORE[named.core].remembers
    return Trial(
        corpus=digest,
        core=named.core,
        output=named.output,
        output_settings=BY_OUTPUT[named.output].settings_type.draw(draws, kind),
        optimizer=named.optimizer,
        techniques=_techniques(named.letters, draws, kind),
        hidden_size=draws.integer("hidden_size", *space.hidden_size) if remembers else 1,
        activation=_activation(named.core, space, draws),
        initial_state="learned" if remembers else "zero",
        learning_rate=_learning_rate(named.optimizer, space, draws),
        chunk=space.chunk,
        batch=space.batch,
        epochs=space.epochs,
        patience=space.patience,
        decay=space.decay,
        seed=seed_for(*names, index) % _SEEDS,
    )


def fresh_seed(campaign: Campaign, corpus: str, number: int, study: int = 0) -> int:
    """The seed with that number for what a study chooses: the same for every variant of a corpus."""
    return seed_for(*_names(campaign, corpus, "final", study), number) % _SEEDS


def _names(campaign: Campaign, corpus: str, purpose: str, study: int) -> tuple[object, ...]:
    """What tells the random numbers of a study from others; the first is named as when there was one alone."""
    return (campaign.seed, corpus, purpose, *(("study", study) if study else ()))


def _techniques(letters: str, draws: Draws, kind: Kind) -> tuple[Technique, ...]:
    return tuple(BY_LETTER[letter].draw(draws, kind) for letter in letters)


def _activation(core: str, space: Space, draws: Draws) -> Activation:
    return (
        "tanh" if BY_CORE[core].gated or not BY_CORE[core].remembers else draws.choice("activation", space.activations)
    )


def _learning_rate(optimizer: str, space: Space, draws: Draws) -> float:
    if (its_own := BY_OPTIMIZER[optimizer].draw_learning_rate(draws)) is not None:
        return its_own
    if space.learning_rate is None:
        return draws.choice("learning_rate", space.learning_rates)
    return draws.log_uniform("learning_rate", *space.learning_rate)
