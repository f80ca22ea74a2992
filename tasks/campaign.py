"""A campaign: what one run of the pipeline asks, resolved from a request and a preset.

The preset says how much: which corpora and variants, how many studies, draws for each variant in one (the same for
all), rungs, fresh seeds and epochs, and the intervals the search draws from. A request may replace the sizes.

What this does not do: draw a trial (`drawing.py`), or know what is stored.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from infra.errors import ConfigurationError
from infra.schedule import seed_asked
from infra.settings import CampaignRequest
from infra.store import Store
from models.core.scan import Activation
from models.kinds import Kind
from models.techniques import Placebo
from models.variants import BY_OUTPUT, Variant, all_subsets
from tasks.ingest import corpus_kind
from tasks.variant_names import read_names

PLAIN = ""
"""The letters of plain SGD, which is in every campaign: it is what the others are compared with."""


@dataclass(frozen=True)
class Space:
    """How one kind of data is searched and trained.

    Attributes:
        hidden_size: the smallest and the largest number of units, every integer between as likely.
        learning_rate: the smallest and the largest, log-uniform; or, with `learning_rates`, None.
        learning_rates: the values to choose from, where the paper names values.
        activations: non-linearities of variants without R.
        chunk: steps of truncated back-propagation.
        batch: pieces trained side by side.
        epochs: passes over the training split, at most.
        patience: epochs, neither a new best on validation nor better than the one before, after which training stops.
        decay: what the learning rate is multiplied by after each of them.
    """

    hidden_size: tuple[int, int]
    activations: tuple[Activation, ...]
    chunk: int
    batch: int
    epochs: int
    learning_rate: tuple[float, float] | None = None
    learning_rates: tuple[float, ...] = ()
    patience: int = 3
    decay: float = 0.5


@dataclass(frozen=True)
class Preset:
    """A size of campaign.

    Attributes:
        title: what it is for, one line.
        trials: draws for every variant in a study.
        seeds: fresh seeds for what a study chooses.
        corpora: those that it is about, where a request names none.
        letters: the subsets of techniques on each kind of data, with the simple core, its output model and SGD.
        others: more variants on a kind of data, by their whole names.
        spaces: the search of each kind of data.
        studies: independent searches, each with draws, a choice and fresh seeds of its own.
        rungs: of successive halving in each of them; with one rung it is random search.
    """

    title: str
    trials: int
    seeds: int
    corpora: tuple[str, ...]
    letters: Mapping[Kind, tuple[str, ...]]
    spaces: Mapping[Kind, Space]
    others: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    studies: int = 1
    rungs: int = 1


@dataclass(frozen=True)
class Campaign:
    """What one run asks.

    Attributes:
        preset: name of the preset it started from.
        kinds: kind of each corpus.
        variants: names of the variants of each corpus.
        studies: independent searches, each with draws, a choice and fresh seeds of its own.
        trials: draws of each variant in a study.
        rungs: of successive halving; with one rung it is random search.
        seeds: fresh ones for what a study chooses.
        seed: of everything.
        spaces: the search of each kind of data.
        left_out: corpora of the preset that none of the variants asked for goes with, each with the reason.
    """

    preset: str
    kinds: Mapping[str, Kind]
    variants: Mapping[str, tuple[str, ...]]
    studies: int
    trials: int
    rungs: int
    seeds: int
    seed: int
    spaces: Mapping[Kind, Space]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[str, ...]:
        """What it asks otherwise than its preset, corpora and variants or a number; () if it is that.

        The seed is not among them: with another one it is another draw of the same preset, as that of every night.
        """
        if self.preset not in PRESETS:
            return ("preset",)
        own = resolve(CampaignRequest(preset=self.preset))
        both = self.variants.keys() & own.variants.keys()
        mine, its = ({kind: campaign.spaces.get(kind) for kind in self.kinds.values()} for campaign in (self, own))
        otherwise = {
            "corpora": self.variants.keys() != own.variants.keys(),
            "variants": any(set(self.variants[name]) != set(own.variants[name]) for name in both),
            **{name: getattr(self, name) != getattr(own, name) for name in ("studies", "trials", "rungs", "seeds")},
            "epochs": {kind: space and space.epochs for kind, space in mine.items()}
            != {kind: space and space.epochs for kind, space in its.items()},
            "spaces": {kind: space and replace(space, epochs=1) for kind, space in mine.items()}
            != {kind: space and replace(space, epochs=1) for kind, space in its.items()},
        }
        return tuple(name for name, other in otherwise.items() if other)

    def to_json(self) -> dict[str, Any]:
        """What the report says of the budget."""
        kinds = set(self.kinds.values())
        return {
            "preset": self.preset,
            "changes": list(self.changes),
            "corpora": {corpus: list(variants) for corpus, variants in self.variants.items()},
            "trials_per_variant": self.studies * self.trials,
            "studies": self.studies,
            "trials_per_study": self.trials,
            "rungs": self.rungs,
            "seeds": self.seeds,
            "seed": self.seed,
            "epochs": {kind: space.epochs for kind, space in self.spaces.items() if kind in kinds},
            "spaces": {kind: asdict(space) for kind, space in self.spaces.items() if kind in kinds},
        }


def output_for(kind: Kind) -> str:
    """Output model of a kind of data where none is named: Bernoulli notes, a Gaussian sum, a softmax over symbols."""
    return {"music": "bernoulli", "adding": "gaussian"}.get(kind, "softmax")


def fits(output: str, kind: Kind) -> bool:
    """Whether an output model is for that kind of data."""
    asked, own = BY_OUTPUT[output], BY_OUTPUT[output_for(kind)]
    return (asked.symbols, asked.answers) == (own.symbols, own.answers)


def resolve(request: CampaignRequest, store: Store | None = None) -> Campaign:
    """The campaign that a request asks for.

    Args:
        request: what is asked.
        store: whose own corpora may be named too.

    Raises:
        ConfigurationError: it names a preset, a corpus or a variant that there is not, or none is left.
    """
    preset = PRESETS.get(request.preset)
    if preset is None:
        raise ConfigurationError(f"preset {request.preset!r}: there is none; take one of {', '.join(PRESETS)}")
    kinds = {corpus: corpus_kind(corpus, store) for corpus in request.corpora or preset.corpora}
    spaces = preset.spaces
    if request.epochs is not None:
        spaces = {kind: replace(space, epochs=request.epochs) for kind, space in spaces.items()}
    variants, without = _variants(preset, kinds, request.variants, placebo=request.placebo)
    for corpus, reason in without.items():
        # A corpus that only the preset names is left out; one that was asked for is a mistake.
        if request.corpora or not variants:
            raise ConfigurationError(f"variants {', '.join(request.variants or ())}: none is for {corpus}: {reason}")
    return Campaign(
        preset=request.preset,
        kinds={corpus: kind for corpus, kind in kinds.items() if corpus in variants},
        variants=variants,
        left_out=without,
        studies=request.studies or preset.studies,
        trials=request.trials or preset.trials,
        rungs=request.rungs or preset.rungs,
        seeds=request.seeds or preset.seeds,
        seed=seed_asked(request.seed),
        spaces=spaces,
    )


def _variants(
    preset: Preset, kinds: Mapping[str, Kind], asked: tuple[str, ...] | None, *, placebo: bool
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Variants of each corpus, the preset's or those asked for, plain SGD first; and why a corpus has none of these.

    With `placebo` plain SGD with the placebo comes last.
    """
    variants: dict[str, tuple[str, ...]] = {}
    without: dict[str, str] = {}
    wanted = None if asked is None else read_names(asked)
    for corpus, kind in kinds.items():
        plain = Variant(output=output_for(kind))
        named = [replace(plain, letters=letters) for letters in preset.letters[kind]]
        named += map(Variant.parse, preset.others.get(kind, ()))
        if wanted is not None:
            complete = [_with_output(each, plain.output) if short else each for each, short in wanted]
            named = [each for each in complete if isinstance(each, Variant) and fits(each.output, kind)]
            if not named:
                reasons = [each for each in complete if isinstance(each, str)]
                fitting = "wants " + " or ".join(output for output in BY_OUTPUT if fits(output, kind))
                without[corpus] = reasons[0] if reasons else fitting
                continue
        # Each is compared with plain SGD of its own core and output model.
        beside = [each for one in named for each in (Variant(one.core, one.output), one)]
        last = [replace(plain, letters=Placebo.letter)] if placebo else []
        variants[corpus] = tuple(dict.fromkeys(map(str, (plain, *beside, *last))))
    return variants, without


def _with_output(variant: Variant, output: str) -> Variant | str:
    """The variant with an output model, or why it does not go with it: it is not for such a corpus then."""
    try:
        return replace(variant, output=output)
    except ValueError as error:
        return str(error)


_PAPER_MUSIC = Space(
    hidden_size=(100, 400),
    learning_rate=(1e-4, 1e-1),
    activations=("tanh", "sigmoid"),
    chunk=100,
    batch=8,
    epochs=100,
    patience=5,
)
_PAPER_CHARACTERS = Space(
    hidden_size=(500, 500), learning_rates=(0.5, 0.1, 0.01), activations=("tanh",), chunk=150, batch=16, epochs=20
)
_PAPER_WORDS = Space(
    hidden_size=(200, 200), learning_rates=(0.1, 0.01, 0.001), activations=("sigmoid",), chunk=40, batch=16, epochs=20
)
# One chunk is the whole sequence, so that a gradient goes back to its start. Such a task is a plateau and then a fall:
# a schedule that waits for progress would end it on the plateau.
_DEPENDENCIES = Space(
    hidden_size=(50, 50),
    learning_rate=(3e-2, 1.0),
    activations=("tanh",),
    chunk=256,
    batch=50,
    epochs=8,
    patience=8,
    decay=1.0,
)
_ADDING = replace(_DEPENDENCIES, learning_rate=(3e-3, 3e-1))
_QUICK_MUSIC = replace(_PAPER_MUSIC, hidden_size=(100, 150), activations=("tanh",), batch=8, epochs=9, patience=3)
_QUICK_CHARACTERS = replace(_PAPER_CHARACTERS, hidden_size=(100, 100), batch=16, epochs=1)
_QUICK_WORDS = replace(_PAPER_WORDS, hidden_size=(100, 100), activations=("tanh",), batch=16, epochs=1)
_QUICK: dict[Kind, Space] = {
    "music": _QUICK_MUSIC,
    "characters": _QUICK_CHARACTERS,
    "words": _QUICK_WORDS,
    "temporal-order": _DEPENDENCIES,
    "adding": _ADDING,
}

_TEXT = (PLAIN, "C", "CL", "CLR")
_EMBEDDED = ("bach-chorales", "folk-tunes-characters", "folk-tunes-words")
_LAGS = (PLAIN, "C", "L", "CL", "CLR")
_ALL: dict[Kind, tuple[str, ...]] = {
    "music": all_subsets("CLRM"),
    "characters": _TEXT,
    "words": _TEXT,
    "temporal-order": _LAGS,
    "adding": _LAGS,
}

_YARDSTICKS: dict[Kind, tuple[str, ...]] = {
    "music": (
        *(f"{core}/{output}/SGD+CM" for output in ("bernoulli", "nade") for core in ("rnn", "lstm", "gru")),
        *(f"rnn/{output}/Adam+C" for output in ("bernoulli", "nade")),
        "rnn/rbm/SGD+C",
    ),
    "characters": ("lstm/softmax/SGD+C", "gru/softmax/SGD+C", "rnn/softmax/Adam+C"),
    "words": ("rnn/classes/SGD+C", "lstm/softmax/SGD+C", "gru/softmax/SGD+C", "rnn/softmax/Adam+C"),
}
"""Output models, cores and an optimizer beside those of the paper's tables."""

PRESETS: dict[str, Preset] = {
    "smoke": Preset(
        title="does everything work: two trials of two epochs, minutes of nobody's time",
        trials=2,
        seeds=2,
        corpora=("bach-chorales", "folk-tunes-characters"),
        letters=dict.fromkeys(_ALL, (PLAIN, "C")),
        spaces={
            "music": replace(_QUICK_MUSIC, hidden_size=(20, 40), epochs=2),
            "characters": replace(_QUICK_CHARACTERS, hidden_size=(20, 20), epochs=1),
            "words": replace(_QUICK_WORDS, hidden_size=(20, 20), epochs=1),
            "temporal-order": replace(_DEPENDENCIES, hidden_size=(20, 20), epochs=2),
            "adding": replace(_ADDING, hidden_size=(20, 20), epochs=2),
        },
    ),
    "default": Preset(
        title="each technique alone and the paper's ladder of them, five studies of small nets, minutes on two cores",
        studies=5,
        trials=12,
        rungs=3,
        seeds=1,
        corpora=("bach-chorales", "folk-tunes-characters"),
        letters=_ALL | {"music": (PLAIN, "C", "L", "R", "M", "CL", "CLR", "CLRM"), "characters": (PLAIN, "C")},
        spaces=_QUICK,
    ),
    "dependencies": Preset(
        title="how far back each technique can learn to look: success against the lag, on sequences that are made up",
        studies=3,
        trials=3,
        seeds=1,
        corpora=("temporal-order-20", "temporal-order-50", "temporal-order-100"),
        letters=_ALL,
        spaces=_QUICK,
    ),
    "thorough": Preset(
        title="the paper's intervals and sizes, trained to the end of early stopping, for a weekly schedule",
        studies=5,
        trials=18,
        rungs=3,
        seeds=2,
        corpora=_EMBEDDED,
        letters=_ALL,
        others=_YARDSTICKS,
        spaces={
            "music": _PAPER_MUSIC,
            "characters": _PAPER_CHARACTERS,
            "words": _PAPER_WORDS,
            "temporal-order": replace(_DEPENDENCIES, epochs=100, patience=100),
            "adding": replace(_ADDING, epochs=100, patience=100),
        },
    ),
}
"""Every preset, by name, the smallest first."""
