"""Resolve a request into a campaign: its preset or its file, with the request's changes."""

from collections.abc import Iterable

from infra.errors import ConfigurationError
from infra.server.schedule import seed_asked
from infra.settings import CampaignRequest, data_folder
from infra.store import Store
from tasks.campaign.campaign import Campaign
from tasks.campaign.preset import Preset
from tasks.campaign.presets import PRESETS
from tasks.campaign.space import Space
from tasks.campaign.spaces import space_of
from tasks.campaign.variant_names import read_names
from tasks.campaign.variants import variants_of
from tasks.ingest import corpus_kind, find_name
from tasks.ingest.corpora import find_recipe


def resolve(request: CampaignRequest, store: Store | None = None) -> Campaign:
    """The campaign that a request asks for.

    Args:
        request: from the command line or a file.
        store: its corpora may be named too, beside the known ones.

    Raises:
        ConfigurationError: the request names a preset, a corpus or a variant that does not exist; no corpus is left;
            its file is invalid; or a trial cannot be drawn.
    """
    preset = _preset(request)
    left_out = {} if request.corpora or store is None else _to_be_brought(preset.corpora, store)
    asked_about = [corpus for corpus in request.corpora or preset.corpora if corpus not in left_out]
    kinds = {corpus: corpus_kind(corpus, store) for corpus in asked_about}
    sections = {corpus: preset.section(corpus, kind) for corpus, kind in kinds.items()}
    asked = None if request.variants is None else read_names(request.variants)
    variants: dict[str, tuple[str, ...]] = {}
    for corpus, kind in kinds.items():
        named = sections[corpus].named if asked is None else asked
        found, why_none = variants_of(kind, named, placebo=request.placebo)
        if found:
            variants[corpus] = found
        else:
            left_out[corpus] = why_none
    for corpus, reason in left_out.items():
        # A corpus that only the preset names is left out; one that was asked for is a mistake.
        if request.corpora or not variants:
            asked_for = f"variants {', '.join(request.variants)}: none is for " if request.variants else ""
            raise ConfigurationError(f"{asked_for}{corpus}: {reason}")
    spaces = {
        corpus: space_of(f"campaign {preset.name}: {corpus}", kinds[corpus], sections[corpus], names)
        for corpus, names in variants.items()
    }
    return Campaign(
        preset=preset,
        kinds={corpus: kind for corpus, kind in kinds.items() if corpus in variants},
        variants=variants,
        left_out=left_out,
        studies=request.studies or preset.studies,
        trials=request.trials or preset.trials,
        rungs=request.rungs or preset.rungs,
        seeds=request.seeds or preset.seeds,
        seed=preset.seed if request.seed is None else seed_asked(request.seed),
        spaces={corpus: _shortened(space, request) for corpus, space in spaces.items()},
    )


def _to_be_brought(corpora: Iterable[str], store: Store) -> dict[str, str]:
    """The corpora of a preset that the user must provide and has not, each with how to provide it."""
    missing = {}
    for corpus in corpora:
        recipe = find_recipe(corpus)
        comes_along = recipe is not None and (recipe.embedded or recipe.generated)
        if recipe is not None and not comes_along and data_folder() is None and find_name(store, corpus) is None:
            missing[corpus] = (
                f"it is not in the store: `prefect run ingest {corpus} --from ADDRESS` brings it, or COUNTERPOINT_DATA"
                " says where the data sets are (docs/sources.md)"
            )
    return missing


def _preset(request: CampaignRequest) -> Preset:
    if request.campaign is not None:
        return Preset.read(request.campaign)
    if request.preset not in PRESETS:
        raise ConfigurationError(f"preset {request.preset!r}: there is none; take one of {', '.join(PRESETS)}")
    return PRESETS[request.preset]


def _shortened(space: Space, request: CampaignRequest) -> Space:
    """The space with the epochs of the request. A number of rungs in the request replaces a list of epochs."""
    if request.epochs is not None:
        return space.having(epochs=request.epochs)
    return space if request.rungs is None else space.unlisted()
