"""Draw the hyper-parameters of a variant from a search space; each has the name of its key in a campaign's file.

Techniques and output models draw their own hyper-parameters, such as `threshold` and `nade_units`. Their default ranges
hold unless the campaign gives others.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from models.data_kinds import Kind
from models.randomness import LAST_PART, Draws, DrawsAt, DrawsNoted
from models.ranges import Range, Values
from models.trial import Trial
from models.variants import BY_CORE, BY_LETTER, BY_OPTIMIZER, BY_OUTPUT, Variant
from tasks.campaign.space import listed_epochs

STATED = ("hidden_size", "learning_rate", "chunk", "batch", "epochs")
"""Hyper-parameters without a default range: a campaign must give one."""
RATE = "learning_rate"


def draw_fields(variant: Variant, kind: Kind, draws: Draws) -> dict[str, Any]:
    """The fields of a trial but `corpus` and `seed`.

    Args:
        variant: what is trained.
        kind: of data.
        draws: draws numbers by name; the campaign's ranges include all of `STATED`.

    Raises:
        ValueError: a range does not fit its hyper-parameter.
    """
    core = BY_CORE[variant.core]
    has_activation = core.remembers and not core.gated
    own_rate = BY_OPTIMIZER[variant.optimizer].draw_learning_rate(draws)
    return {
        "core": variant.core,
        "output": variant.output,
        "output_settings": BY_OUTPUT[variant.output].settings_type.draw(draws, kind),
        "optimizer": variant.optimizer,
        "techniques": tuple(BY_LETTER[letter].draw(draws, kind) for letter in variant.letters),
        "hidden_size": draws.drawn("hidden_size", whole=True) if core.remembers else 1,
        "activation": draws.choice("activation", ("tanh",)) if has_activation else "tanh",
        "initial_state": draws.choice("initial_state", ("learned",)) if core.remembers else "zero",
        "learning_rate": draws.drawn(RATE) if own_rate is None else own_rate,
        "cost": draws.choice("cost", ("sum",)),
        "chunk": draws.drawn("chunk", whole=True),
        "batch": draws.drawn("batch", whole=True),
        "input_dropout": draws.constant("input_dropout", 0.0),
        "output_dropout": draws.constant("output_dropout", 0.0),
        "transposition": draws.constant("transposition", 0),
        "averaging": draws.constant("averaging", 0.0),
        "epochs": listed_epochs(draws.range_of("epochs"))[-1],
        "patience": draws.constant("patience", 3),
        "decay": draws.constant("decay", 0.5),
    }


def has_own_rate(variant: Variant) -> bool:
    """Whether the optimizer has its own range of learning rates; a campaign's range is meant for gradient descent."""
    return BY_OPTIMIZER[variant.optimizer].draw_learning_rate(DrawsNoted()) is not None


def noted_ranges(variant: Variant, kind: Kind, given: Mapping[str, Range]) -> dict[str, Range]:
    """The range of each hyper-parameter of a variant: the given one, or else its default."""
    noted = DrawsNoted(given)
    draw_fields(variant, kind, noted)
    return noted.seen


@cache
def known_names(kind: Kind) -> frozenset[str]:
    """The names of all hyper-parameters that any variant has."""
    given = {name: Values((1,)) for name in STATED}
    names = set(noted_ranges(Variant(), kind, given))
    noted = DrawsNoted()
    for technique in BY_LETTER.values():
        technique.draw(noted, kind)
    for output in BY_OUTPUT.values():
        output.settings_type.draw(noted, kind)
    return frozenset(names | noted.seen.keys())


def check_ranges(variant: Variant, kind: Kind, ranges: Mapping[str, Range]) -> None:
    """Check ranges by making trials at the ends of all intervals and with each of the listed values.

    Raises:
        ValueError: one of these values is not allowed in such a trial.
    """
    for part in _parts(ranges):
        Trial(corpus="", seed=0, **draw_fields(variant, kind, DrawsAt(part, ranges)))


def _parts(ranges: Mapping[str, Range]) -> Iterator[float]:
    counts = {len(drawn.options) for drawn in ranges.values() if isinstance(drawn, Values)}
    yield from sorted({0.0, LAST_PART, *((place + 0.5) / count for count in counts for place in range(count))})
