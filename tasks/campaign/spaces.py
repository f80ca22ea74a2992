"""The search space that a section of a preset gives, checked by drawing from it."""

from collections.abc import Mapping

from infra.errors import ConfigurationError
from models.data_kinds import Kind
from models.ranges import Range
from models.variants import Variant
from tasks.campaign.drawn import RATE, STATED, check_ranges, has_own_rate, noted_ranges
from tasks.campaign.preset import Section
from tasks.campaign.space import Space


def space_of(where: str, kind: Kind, section: Section, variants: tuple[str, ...]) -> Space:
    """The search space: the section's ranges, completed by the defaults of techniques, output models and optimizers.

    Only hyper-parameters that at least one of the variants has, and those of `STATED`, are in it.

    Args:
        where: the start of an error message.
        kind: of data.
        section: of the preset.
        variants: names of the variants to draw.

    Raises:
        ConfigurationError: a range is missing, or has values that no trial can have.
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
        common |= {key: drawn_from for key, drawn_from in ranges.items() if key not in common and key not in own}
    others = {
        name: {key: drawn_from for key, drawn_from in ranges.items() if drawn_from != common.get(key)}
        for name, ranges in noted.items()
    }
    return Space(common, {name: other for name, other in others.items() if other})


def _noted(variant: Variant, kind: Kind, written: Mapping[str, Range], own: Mapping[str, Range]) -> dict[str, Range]:
    """The range of each hyper-parameter of a variant; an optimizer's own learning rates go first."""
    general = {key: drawn for key, drawn in written.items() if not (key == RATE and has_own_rate(variant))}
    ranges = {**general, **own}
    noted = noted_ranges(variant, kind, ranges)
    for key in own:
        if key not in noted:
            raise ValueError(f"{key}: it has none; it has {', '.join(sorted(noted))}")
    check_ranges(variant, kind, ranges)
    return noted
