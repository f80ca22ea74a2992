"""How often a placebo is called better or worse than plain SGD, over many small campaigns that differ by their seed.

Run it as `python -m benchmarks.placebo [CAMPAIGNS]`. Each campaign is a real one: SGD, SGD+C and SGD with the placebo
on a part of the chorales, five studies of two draws and one fresh seed, searched, scored on test and reported by the
product's own code, in this process and with a store in memory. What is called so is called so by chance; at most 5 %
may be. Prints a line a call and the count, and writes them to benchmarks/results/placebo.json.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime

import torch

from benchmarks.keeping import keep
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.campaign import Campaign, resolve
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.corpora import find_recipe
from tasks.ingest.stored import ingest_corpus, load_corpus, store_corpus
from tasks.publishing.collect import collect
from tasks.report.numbers.estimates import estimate
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.verdicts import difference_verdict
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.data import data_of
from tasks.trials.ledger import Ledger
from tasks.trials.samples import ensure_sampled
from tasks.trials.scoring import ensure_scored
from tasks.trials.train import ensure_trained
from tasks.trials.trained import Trained

NAME, PLACEBO = "bach-chorales", "rnn/bernoulli/SGD+Z"
PIECES = {"train": 48, "valid": 24, "test": 24}


def small(corpus: Corpus) -> Corpus:
    """The first pieces of each split."""
    splits = {split: corpus.splits[split][: PIECES[split]] for split in SPLITS}
    titles = {split: corpus.titles[split][: PIECES[split]] for split in SPLITS}
    return replace(corpus, splits=splits, titles=titles)


def run(store: Store, campaign: Campaign, digest: str) -> dict[str, object]:
    """One campaign; what its report says of the placebo."""
    search, ledger, data = Search(campaign, {NAME: digest}), Ledger(store), data_of(store.address, digest)
    for number in range(search.rungs):
        for trial in search.stage(number, Standing(ledger, search).halvings)[0]:
            ensure_trained(store, data, [trial])
    for trial in Standing(ledger, search).finals:
        (record,) = ensure_trained(store, data, [trial])
        if record.status == "completed":
            trained = Trained(store, data, record.trial)
            ensure_scored(trained)
            ensure_sampled(trained)
    scores = estimate(collect(Standing(Ledger(store), search), {}, datetime.now(UTC))).primary(NAME)
    row = scores[scores["variant"] == PLACEBO].iloc[0].to_dict()
    return {
        "seed": campaign.seed,
        "difference": row["difference"],
        "low": row["diff_low"],
        "high": row["diff_high"],
        "said": difference_verdict(row, METRICS["music"][0].decimals),
    }


def main() -> None:
    torch.set_num_threads(1)
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    request = CampaignRequest(
        corpora=(NAME,), variants=("SGD+C",), placebo=True, studies=5, trials=2, rungs=1, seeds=1, epochs=3
    )
    asked = resolve(request)
    spaces = {kind: space.having(hidden_size=[20, 40]) for kind, space in asked.spaces.items()}
    recipe, source = find_recipe(NAME), Store("memory://placebo")
    if recipe is None:
        sys.exit(f"{NAME}: there is no such corpus")
    corpus = small(load_corpus(source, ingest_corpus(source, recipe)))
    told = []
    for seed in range(campaigns):
        store = Store(f"memory://placebo-{seed}")
        store_corpus(store, corpus, recipe, {})
        told.append(run(store, replace(asked, spaces=spaces, seed=seed), corpus.digest))
        if told[-1]["said"] not in ("undecided", "tiny"):
            print(told[-1], flush=True)
    called = sum(each["said"] in ("better", "worse") for each in told)
    print(f"called better or worse in {called} of {len(told)} campaigns")
    keep("placebo", {"called": called, "campaigns": told})


if __name__ == "__main__":
    main()
