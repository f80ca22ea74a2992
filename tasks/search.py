"""The search: trials drawn for every variant, the choice on validation, and the fresh seeds of what was chosen.

The i-th trial of every variant on a corpus shares every number that the two have in common: same learning rate,
same units, same seed. So every variant has the same budget, and two variants differ by their techniques alone. The
draws are spread over the intervals (`Draws`): of n named values none comes twice before each came once.

What this does not do: train (`train.py`). The test split plays no part here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from models.core.scan import Activation
from models.kinds import Kind
from models.randomness import Draws, seed_for
from models.techniques import Technique
from models.trial import Trial
from models.variants import BY_CORE, BY_LETTER, BY_OPTIMIZER, BY_OUTPUT, Variant
from tasks.campaign import Campaign, Space
from tasks.records import TrialRecord

_SEEDS = 2**31


def search_trials(campaign: Campaign, digests: Mapping[str, str]) -> list[Trial]:
    """Every trial of the search, the same number for every variant of every corpus.

    Args:
        campaign: what is asked.
        digests: digest of each corpus, by its name.
    """
    return [
        draw_trial(campaign, corpus, digests[corpus], variant, index)
        for corpus, variants in campaign.variants.items()
        for variant in variants
        for index in range(campaign.trials)
    ]


def draw_trial(campaign: Campaign, corpus: str, digest: str, variant: str, index: int) -> Trial:
    """The trial of a variant with that index, from the intervals of the campaign."""
    kind = campaign.kinds[corpus]
    space = campaign.spaces[kind]
    draws = Draws(campaign.seed, corpus, "search", index=index)
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
        seed=seed_for(campaign.seed, corpus, "search", index) % _SEEDS,
    )


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


def choose(search: Iterable[Trial], records: Mapping[str, TrialRecord]) -> dict[tuple[str, str], TrialRecord]:
    """The best completed trial on validation of each corpus digest and variant; of equal scores the first drawn.

    A variant of which a trial has no record is held back, and absent: chosen among fewer, it would not have had the
    budget of the others, and a later run that completes its search might choose, and score on test, another one. So
    is a variant of which no trial completed.

    Args:
        search: all trials of the search.
        records: those that there are, by key.
    """
    tried: dict[tuple[str, str], list[TrialRecord | None]] = {}
    for trial in search:
        tried.setdefault((trial.corpus, trial.variant), []).append(records.get(trial.key))
    chosen = {}
    for place, found in tried.items():
        completed = [record for record in found if record is not None and record.status == "completed"]
        if completed and None not in found:
            chosen[place] = max(completed, key=lambda record: record.valid)  # the first of equal ones
    return chosen


def final_trials(campaign: Campaign, digests: Mapping[str, str], records: Mapping[str, TrialRecord]) -> list[Trial]:
    """The chosen configurations with fresh seeds, the same seeds for every variant of a corpus.

    Args:
        campaign: what is asked.
        digests: digest of each corpus, by its name.
        records: of the search, as far as it went, by key.
    """
    names = {digest: corpus for corpus, digest in digests.items()}
    return [
        replace(best.trial, seed=seed_for(campaign.seed, names[digest], "final", number) % _SEEDS)
        for (digest, _), best in choose(search_trials(campaign, digests), records).items()
        for number in range(campaign.seeds)
    ]
