"""A campaign: the complete specification of one run of the pipeline, with every number resolved."""

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
    """The specification of one run.

    Attributes:
        preset: the preset, or the user's file, that the campaign started from.
        kinds: kind of data of each corpus.
        variants: names of the variants of each corpus.
        studies: number of independent searches, each with its own draws, choice and fresh seeds.
        trials: number of draws of each variant in a study.
        rungs: rungs of successive halving, if a space lists none; one rung is random search.
        seeds: number of fresh seeds for each chosen configuration.
        seed: of all random numbers.
        spaces: search space of each corpus.
        left_out: corpora of the preset that this run leaves out, each with the reason.
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
        """The name of its preset."""
        return self.preset.name

    @property
    def changes(self) -> tuple[str, ...]:
        """The settings that differ from the preset: corpora, variants, or a number; () for an unchanged preset.

        A file with the name of a preset is compared with that preset. The seed never counts as a change: another seed
        is another draw of the same preset, like that of every night.
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
        """The campaign as JSON values, for the report and for `campaign_text`."""
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
