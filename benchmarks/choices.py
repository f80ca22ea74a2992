"""What is best on validation: the draws of a campaign's file trained, alone and again with some fields changed.

Run it as `python -m benchmarks.choices FILE STORE [CHANGES ...] [--variants NAME ...] [--draws N]`, one process of one
thread. The corpora are taken from the store, where `prefect run ingest` puts them. Of each variant that the file or
`--variants` names as a whole, `rnn/nade/SGD+C`, the draws of its first study are trained to the last of its epochs; and
again for each CHANGES, such as `input_dropout=0.2,output_dropout=0.3`, with the same seed and all else as it was drawn.
The validation split alone is scored; the test split is not looked at.

Prints a line for each training, then in Markdown a table of all draws, best first, with what differs among them; and
where there are CHANGES another one of what each does to the same draws, and to the best of them. Scores are nats a
frame, perplexity, or bits a character.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path
from statistics import mean
from typing import Any

import counterpoint
import torch

from benchmarks.readme_result import table
from infra.campaign_file import read_campaign
from infra.settings import CampaignRequest
from models.data.chunks import Pieces
from models.training.outcome import Training
from models.training.run import train
from models.trial import Trial
from tasks.campaign import Campaign, resolve
from tasks.campaign.drawing import draw_trial
from tasks.corpus.corpus import Corpus

UNITS: dict[str, Callable[[float], float]] = {
    "words": lambda nats: exp(-nats),
    "characters": lambda nats: -nats / log(2),
}
"""What is printed of nats a step; of music the nats."""


@dataclass(frozen=True)
class Tried:
    """A draw that was trained, as it was drawn or changed, and what came of it."""

    variant: str
    draw: int
    changes: str
    trial: Trial
    training: Training

    @property
    def valid(self) -> float:
        """Best validation score, nats a step; of one that diverged too, for its best weights are kept."""
        return self.training.best.valid


def changed(trial: Trial, text: str) -> Trial:
    """The trial with other values of some fields: `averaging=0.99,batch=4`."""
    new: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        old = getattr(trial, name)
        new[name] = type(old)(value)
    return replace(trial, **new)


def tries(
    campaign: Campaign, corpus: str, store: str, changes: Sequence[str], variants: Sequence[str], draws: int
) -> Iterator[Tried]:
    """Train the draws of all variants that are named, each without and with every change, and print how it went."""
    data: Corpus = counterpoint.load_corpus(store, corpus)
    train_pieces, valid_pieces = (
        Pieces.from_arrays(data.splits[split], last_alone=data.last_alone) for split in ("train", "valid")
    )
    shown = UNITS.get(data.kind, float)
    for draw in range(draws):
        for variant in variants:
            drawn = draw_trial(campaign, corpus, data.digest, variant, draw)
            for change in ("", *changes):
                trial, began = changed(drawn, change), time.process_time()
                tried = Tried(variant, draw, change, trial, train(trial, train_pieces, valid_pieces, data.width))
                seconds, curve = time.process_time() - began, tried.training.curve
                print(
                    f"{corpus} {variant} draw {draw} {change or 'as drawn'}: {shown(tried.valid):.4f}"
                    f" at epoch {tried.training.best.epoch} of {curve[-1].epoch}, {tried.training.status},"
                    f" mean norm {curve[-1].gradient_norm:.3g}, {seconds:.0f} s",
                    flush=True,
                )
                yield tried


def table_of_draws(done: Sequence[Tried], shown: Callable[[float], float]) -> None:
    """Every draw as it was drawn, best first, with the fields that differ among them."""
    plain = sorted((each for each in done if not each.changes), key=lambda each: -each.valid)
    rows = [_fields(each.trial) for each in plain]
    columns = [
        name for name in {key: 0 for row in rows for key in row} if len({str(row.get(name)) for row in rows}) > 1
    ]
    head = ["variant", *columns, "best epoch", "validation"]
    cells = []
    for each, row in zip(plain, rows, strict=True):
        values = [_told(row.get(name, "")) for name in columns]
        cells.append([each.variant, *values, str(each.training.best.epoch), f"{shown(each.valid):.3f}"])
    print(f"\n{table(head, cells)}")


def _told(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _fields(trial: Trial) -> dict[str, Any]:
    values = {name: value for name, value in trial.to_json().items() if name not in ("seed", "corpus")}
    nested = {**values.pop("techniques"), "": values.pop("output_settings", {})}
    return values | {f"{letter} {name}".strip(): value for letter, own in nested.items() for name, value in own.items()}


def table_of_changes(done: Sequence[Tried], shown: Callable[[float], float]) -> None:
    """Of each variant and change the mean difference on the same draws, how many it makes better, and the best one."""
    cells = []
    for variant in dict.fromkeys(each.variant for each in done):
        own = [each for each in done if each.variant == variant]
        before = {each.draw: shown(each.valid) for each in own if not each.changes}
        sign = 1 if shown(2.0) > shown(1.0) else -1
        for change in dict.fromkeys(each.changes for each in own):
            after = {each.draw: shown(each.valid) for each in own if each.changes == change}
            gaps = [after[draw] - before[draw] for draw in before]
            best = max(after.values(), key=lambda value: sign * value)
            better = sum(sign * gap > 0 for gap in gaps)
            told = [f"{mean(gaps):+.3f}", f"{better} of {len(gaps)}"] if change else ["", ""]
            cells.append([variant, change or "as drawn", *told, f"{best:.3f}"])
    print(f"\n{table(('variant', 'changed', 'mean difference', 'better', 'best draw'), cells)}")


def main() -> None:
    """Train, and print the tables of each corpus."""
    parser = argparse.ArgumentParser(
        description="What is best on validation: draws of a file, as they are and changed."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("store")
    parser.add_argument("changes", nargs="*")
    parser.add_argument("--variants", nargs="+")
    parser.add_argument("--draws", type=int)
    asked = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    campaign = resolve(CampaignRequest(campaign=read_campaign(asked.file)))
    for corpus in campaign.variants:
        variants = asked.variants or campaign.preset.section(corpus, campaign.kinds[corpus]).variants or ()
        draws = asked.draws or campaign.trials
        done = list(tries(campaign, corpus, asked.store, asked.changes, variants, draws))
        shown = UNITS.get(campaign.kinds[corpus], float)
        table_of_draws(done, shown)
        if asked.changes:
            table_of_changes(done, shown)


if __name__ == "__main__":
    main()
