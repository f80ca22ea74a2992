"""A campaign: what one run of the pipeline asks, with every number that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.data_kinds import Kind
from models.ranges import Range
from tasks.campaign.preset import Preset
from tasks.campaign.presets import PRESETS
from tasks.campaign.space import Space
from tasks.campaign.spaces import space_of
from tasks.campaign.variants import variants_of


@dataclass(frozen=True)
class Campaign:
    """What one run asks.

    Attributes:
        preset: that it started from, or the file.
        kinds: kind of each corpus.
        variants: names of the variants of each corpus.
        studies: independent searches, each with draws, a choice and fresh seeds of its own.
        trials: draws of each variant in a study.
        rungs: of successive halving where a space lists none; with one rung it is random search.
        seeds: fresh ones for what a study chooses.
        seed: of everything.
        spaces: what the trials of each corpus are drawn from.
        left_out: corpora of the preset that none of the variants asked for goes with, each with the reason.
    """

    preset: Preset
    kinds: Mapping[str, Kind]
    variants: Mapping[str, tuple[str, ...]]
    studies: int
    trials: int
    rungs: int
    seeds: int
    seed: int
    spaces: Mapping[str, Space]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """That of its preset."""
        return self.preset.name

    @property
    def changes(self) -> tuple[str, ...]:
        """What it asks otherwise than its preset, corpora and variants or a number; () if it is that.

        A file that has the name of a preset is held against that. The seed is not among the changes: with another one
        it is another draw of the same preset, as that of every night.
        """
        preset = PRESETS.get(self.name, self.preset)
        kinds = {corpus: self.kinds[corpus] for corpus in self.variants}
        sections = {corpus: preset.section(corpus, kind) for corpus, kind in kinds.items()}
        own = {
            corpus: space_of(preset.name, kind, sections[corpus], self.variants[corpus])
            for corpus, kind in kinds.items()
        }
        otherwise = {
            "corpora": set(self.variants) != set(preset.corpora),
            "variants": any(
                set(self.variants[corpus]) != set(variants_of(kind, sections[corpus].named)[0])
                for corpus, kind in kinds.items()
                if corpus in preset.corpora
            ),
            **{name: getattr(self, name) != getattr(preset, name) for name in ("studies", "trials", "rungs", "seeds")},
            "epochs": any(_epochs(self.spaces[corpus]) != _epochs(space) for corpus, space in own.items()),
            "spaces": any(_rest(self.spaces[corpus]) != _rest(space) for corpus, space in own.items()),
        }
        return tuple(name for name, other in otherwise.items() if other)

    def to_json(self) -> dict[str, Any]:
        """What the report says of the budget."""
        return {
            "preset": self.name,
            "title": self.preset.title,
            "changes": list(self.changes),
            "corpora": {corpus: list(variants) for corpus, variants in self.variants.items()},
            "trials_per_variant": self.studies * self.trials,
            "studies": self.studies,
            "trials_per_study": self.trials,
            "rungs": self.rungs,
            "seeds": self.seeds,
            "seed": self.seed,
            "epochs": {corpus: space.epochs for corpus, space in self.spaces.items()},
            "spaces": {corpus: space.to_json() for corpus, space in self.spaces.items()},
        }


def _epochs(space: Space) -> list[Range | None]:
    return [ranges.get("epochs") for ranges in (space.ranges, *space.exceptions.values())]


def _rest(space: Space) -> Space:
    return space.having(epochs=1)
