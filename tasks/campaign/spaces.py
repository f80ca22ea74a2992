"""What a section of a preset makes of the trials of a corpus, checked by drawing from it."""

from collections.abc import Mapping

from infra.errors import ConfigurationError
from models.data_kinds import Kind
from models.ranges import Range
from models.variants import Variant
from tasks.campaign.drawn import RATE, STATED, check_ranges, has_own_rate, noted_ranges
from tasks.campaign.preset import Section
from tasks.campaign.space import Space


def space_of(where: str, kind: Kind, section: Section, variants: tuple[str, ...]) -> Space:
    """What is written, and what techniques, output models and optimizers say where nothing is; of all that is drawn.

    Args:
        where: what an error begins with.
        kind: of data.
        section: what is written.
        variants: that are drawn for.

    Raises:
        ConfigurationError: something is missing, or no trial can have it.
    """
    for name in STATED:
        if name not in section.ranges:
            raise ConfigurationError(f"{where}: {name}: missing; write it in [{kind}]")
    noted: dict[str, dict[str, Range]] = {}
    for name in variants:
        try:
            noted[name] = _noted(Variant.parse(name), kind, section.ranges, section.exceptions.get(name, {}))
        except ValueError as error:
            raise ConfigurationError(f"{where}, {name}: {error}") from error
    drawn = {key for ranges in noted.values() for key in ranges} | set(STATED)
    common: dict[str, Range] = {key: written for key, written in section.ranges.items() if key in drawn}
    for name, ranges in noted.items():
        own = section.exceptions.get(name, {})
        common |= {key: said for key, said in ranges.items() if key not in common and key not in own}
    others = {
        name: {key: said for key, said in ranges.items() if said != common.get(key)} for name, ranges in noted.items()
    }
    return Space(common, {name: other for name, other in others.items() if other})


def _noted(variant: Variant, kind: Kind, written: Mapping[str, Range], own: Mapping[str, Range]) -> dict[str, Range]:
    """What each hyper-parameter of a variant is drawn from; the learning rate that is written is gradient descent's."""
    general = {key: drawn for key, drawn in written.items() if not (key == RATE and has_own_rate(variant))}
    ranges = {**general, **own}
    noted = noted_ranges(variant, kind, ranges)
    for key in own:
        if key not in noted:
            raise ValueError(f"{key}: it has none; it has {', '.join(sorted(noted))}")
    check_ranges(variant, kind, ranges)
    return noted
