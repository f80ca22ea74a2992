"""What it is worth that the variants of a study share its draws, and how a technique's own numbers are best crossed.

Run it as `python -m benchmarks.sharing STORE [--seeds N]` where `python -m benchmarks.replication STORE` has run: it
reads the default campaigns with seeds 0 to N - 1 (7), trains nothing and writes nothing there. Prints two tables in
Markdown and writes them to benchmarks/results/sharing.json.

Studies: the difference of a variant from plain SGD has one standard deviation over studies where both are of the same
study, and so have its draws in common, and another over all pairs of two different studies. An interval of S studies
that share nothing would have 2 (S - 1) degrees of freedom in place of S - 1, which is in the last columns.

Draws: first rungs of 12 are drawn anew from all draws of all studies, the same ones for both variants or others for
each. Then the variance of the difference d of two draws, which share all but the technique's own numbers, is divided:
what it owes to the shared numbers, to its own, and to both together (least squares on parabolas in ranks, means of few
values, and products; adjusted for what fits by chance). Were n draws n / 2 shared ones with two values of its own each,
the variance of a mean of d would be (2 A + B) / n in place of (A + B) / n, with A the variance of the mean of d at a
shared draw and B that around it. No shared draw is stored with two values: of A it is known that it is more than what
the shared numbers explain, and less than all but what the own ones do. The rest is the seed's, or was not fitted.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from benchmarks.keeping import keep
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import resolve
from tasks.ingest import find_name
from tasks.publishing.collect import collect
from tasks.report.numbers.jackknife import jackknife
from tasks.report.numbers.metrics import FloatArray
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import plain_of
from tasks.report.training.drawn import draws_of
from tasks.report.training.reaching import ratio, runs_of
from tasks.report.training.tuning import draw_score
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger

DRAWS, RESAMPLES, FEW = 12, 20_000, 4
Place = tuple[int, int]
"""A campaign and a study."""


def stored(address: str, seeds: int) -> Iterator[Results]:
    """The default campaign with each seed."""
    store = Store(address, create=False)
    for seed in range(seeds):
        campaign = resolve(CampaignRequest(seed=seed), store)
        digests = {name: named.digest for name in campaign.variants if (named := find_name(store, name))}
        results = collect(Standing(Ledger(store), Search(campaign, digests)), {}, datetime.now(UTC))
        if results.failures:
            sys.exit(f"{address}: the campaign with seed {seed} is not whole there")
        yield results


def study_values(campaigns: Sequence[Results], corpus: str) -> dict[str, dict[str, dict[Place, Any]]]:
    """By quantity, variant and study what a study gives: a number, or the run of its one fresh seed."""
    told: dict[str, dict[str, dict[Place, Any]]] = {}

    def tell(quantity: str, variant: str, place: Place, value: Any) -> None:
        told.setdefault(quantity, {}).setdefault(variant, {})[place] = value

    for number, results in enumerate(campaigns):
        trials = results.trials[results.trials["corpus"] == corpus]
        for row in trials[trials["selected"].astype(bool)].itertuples():
            tell("best on validation, nats", row.variant, (number, row.study), row.valid)
        for variant, draws in draws_of(results, corpus).items():
            for study in range(results.studies):
                mine = [draw for (of, _), draw in draws.items() if of == study]
                for name in ("diverged", "untrained"):
                    share = 100 * np.mean([getattr(draw, name) for draw in mine])
                    tell(f"{name}, % of the draws", variant, (number, study), share)
        for variant, runs in runs_of(results, corpus).items():
            for (study, _), run in runs.items():
                tell("epochs to the same score, log", variant, (number, study), run)
    return told


def differences(mine: dict[Place, Any], theirs: dict[Place, Any], places: Sequence[Place], epochs: int) -> FloatArray:
    """How far `mine` in one study is from `theirs` in another, (S, S); NaN where one has nothing."""

    def between(here: Place, there: Place) -> float:
        if here not in mine or there not in theirs:
            return float("nan")
        one, other = mine[here], theirs[there]
        if isinstance(one, float) and isinstance(other, float):
            return one - other
        compared = ratio(one, other, epochs)
        return float("nan") if compared is None else compared.logs[0]

    return np.array([[between(here, there) for there in places] for here in places])


def deviations(differences_VSS: FloatArray) -> tuple[float, float]:
    """Standard deviations of the difference in one study and of that over two, in the mean square of the variants."""
    studies = differences_VSS.shape[1]
    same = np.eye(studies, dtype=bool)
    paired = np.nanvar(differences_VSS[:, same], axis=1, ddof=1)
    apart = np.nanvar(differences_VSS[:, ~same], axis=1) * studies / (studies - 1)
    return sqrt(float(paired.mean())), sqrt(float(apart.mean()))


def wider(differences_VSS: FloatArray) -> tuple[float, float, float]:
    """How many times as far differences spread without sharing, with its 95 % interval over studies."""

    def log_ratio(kept: Sequence[Sequence[int]]) -> FloatArray:
        paired, apart = deviations(differences_VSS[:, kept[0]][:, :, kept[0]])
        return np.array([log(apart / paired)])

    studies = differences_VSS.shape[1]
    (middle,), (spread,) = log_ratio([range(studies)]), jackknife(log_ratio, [studies])
    half = spread.half_width(0.95) if spread is not None else float("nan")
    return exp(middle), exp(middle - half), exp(middle + half)


def freedom_gained(studies: int) -> float:
    """How much narrower an interval is for the degrees of freedom of two groups of studies in place of one."""
    return float(stdtrit(2 * (studies - 1), 0.975) / stdtrit(studies - 1, 0.975))


def study_table(campaigns: Sequence[Results], corpus: str) -> list[dict[str, Any]]:
    """A row a quantity: its differences from plain SGD within a study and over two of them."""
    places = [(number, study) for number, results in enumerate(campaigns) for study in range(results.studies)]
    epochs = int(campaigns[0].campaign["epochs"][campaigns[0].corpora[corpus]["kind"]])
    rows = []
    for quantity, by_variant in study_values(campaigns, corpus).items():
        all_of = np.array(
            [
                differences(values, by_variant[plain_of(variant)], places, epochs)
                for variant, values in by_variant.items()
                if variant != plain_of(variant)
            ]
        )
        paired, apart = deviations(all_of)
        if np.isclose(paired, 0):
            continue  # the same in all studies: in one epoch all diverge at the same of three learning rates
        times, low, high = wider(all_of)
        told = {"corpus": corpus, "quantity": quantity, "paired": paired, "apart": apart}
        told |= {"ratio": times, "low": low, "high": high}
        rows.append(told | {f"width_{studies}": times * freedom_gained(studies) for studies in (5, 20)})
    return rows


def draw_table(campaigns: Sequence[Results], corpus: str) -> list[dict[str, Any]]:
    """A row a variant beside plain SGD: first rungs with the same draws or others, and whose the variance is."""
    searched = []
    for number, results in enumerate(campaigns):
        rows = results.ended_draws(corpus)
        places = [(number, *each) for each in zip(rows["study"], rows["seed"], strict=True)]
        score_N = draw_score(rows["valid_first"], results.corpora[corpus]["counting"])
        searched.append(rows.assign(place=places, score=score_N).set_index("place"))
    by_variant = {name: rows.sort_index() for name, rows in pd.concat(searched).groupby("variant", sort=False)}
    told = []
    for variant, mine in by_variant.items():
        plain = by_variant[plain_of(variant)]
        if mine is plain:
            continue
        if not mine.index.equals(plain.index):
            sys.exit(f"{corpus}: {variant} and {plain_of(variant)} have not the same draws")
        row = {"corpus": corpus, "variant": variant}
        row |= resampled(mine["score"].to_numpy(), plain["score"].to_numpy())
        told.append(row | divided(mine, (mine["score"] - plain["score"]).to_numpy()))
    return told


def resampled(mine_N: FloatArray, plain_N: FloatArray) -> dict[str, float]:
    """How many times as far the difference of two first rungs spreads with other draws as with the same ones."""
    rng = np.random.default_rng(0)
    one_RD, other_RD = rng.integers(len(mine_N), size=(2, RESAMPLES, DRAWS))
    over: dict[str, Callable[..., FloatArray]] = {"best": np.max, "mean": np.mean}
    return {
        name: float(
            (of(mine_N[one_RD], axis=1) - of(plain_N[other_RD], axis=1)).std()
            / (of(mine_N[one_RD], axis=1) - of(plain_N[one_RD], axis=1)).std()
        )
        for name, of in over.items()
    }


def divided(draws: pd.DataFrame, difference_N: FloatArray) -> dict[str, float]:
    """Parts of the variance of a difference, and how much wider the interval of a mean is with two values a draw."""
    shared_NP = columns([np.log(draws["learning_rate"]), draws["hidden_size"]])
    numbers = pd.DataFrame(
        [{f"{k}{n}": v for k, of in each.items() for n, v in of.items()} for each in draws["techniques"]]
    )
    own_NQ = columns([numbers[name] for name in numbers])
    products = (shared_NP[:, :, None] * own_NQ[:, None, :]).reshape(len(draws), -1)
    shared, own = explained(shared_NP, difference_N), explained(own_NQ, difference_N)
    both = explained(np.hstack([shared_NP, own_NQ, products]), difference_N) - shared - own
    least, most = sqrt(1 + max(0.0, shared)), sqrt(1 + min(1.0, 1 - max(0.0, own) - max(0.0, both)))
    return {"shared": shared, "own": own, "both": both, "crossed_least": least, "crossed_most": most}


def columns(numbers: Sequence[pd.Series]) -> FloatArray:
    """What is fitted of some numbers, (N, P): a parabola in the rank of each; of few values or names their means."""
    fitted = []
    for values in numbers:
        if values.nunique() > FEW:
            rank_N = values.rank().to_numpy(np.float64)
            z_N = (rank_N - rank_N.mean()) / rank_N.std()
            fitted += [z_N, z_N**2 - 1]
        else:
            fitted += [(values == value).to_numpy(np.float64) for value in values.unique()[1:]]
    return np.stack(fitted, axis=1)


def explained(fitted_NP: FloatArray, values_N: FloatArray) -> float:
    """The adjusted part of the variance that least squares on these columns explains."""
    design = np.hstack([np.ones((len(values_N), 1)), fitted_NP])
    fit, _, rank, _ = np.linalg.lstsq(design, values_N, rcond=None)
    left = float(((values_N - design @ fit) ** 2).sum() / (len(values_N) - rank))
    return 1 - left / float(values_N.var(ddof=1))


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [" | ".join(cells) for cells in (heads, ["---"] * len(heads), *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--seeds", type=int, default=7)
    asked = parser.parse_args()
    campaigns = list(stored(asked.store, asked.seeds))
    corpora = list(campaigns[0].corpora)
    studies = [row for corpus in corpora for row in study_table(campaigns, corpus)]
    draws = [row for corpus in corpora for row in draw_table(campaigns, corpus)]
    heads = ("difference from plain SGD", "same study", "two studies", "ratio", "interval of 5 studies", "of 20")
    cells = [
        (
            f"{row['corpus']}: {row['quantity']}",
            *(f"{row[name]:.3g}" for name in ("paired", "apart")),
            f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]",
            *(f"{row[f'width_{number}']:.2f}" for number in (5, 20)),
        )
        for row in studies
    ]
    print(markdown(heads, cells), end="\n\n")
    headings = ("first rungs", "best", "mean", "shared, %", "own, %", "both, %", "two values a draw")
    lines = [
        (
            f"{row['corpus']}: {row['variant'].rpartition('/')[2]}",
            *(f"{row[name]:.2f}" for name in ("best", "mean")),
            *(f"{100 * row[name]:.0f}" for name in ("shared", "own", "both")),
            f"{row['crossed_least']:.2f} to {row['crossed_most']:.2f}",
        )
        for row in draws
    ]
    print(markdown(headings, lines))
    keep("sharing", {"seeds": asked.seeds, "studies": studies, "draws": draws})


if __name__ == "__main__":
    main()
