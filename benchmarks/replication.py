"""Does an answer replicate? One campaign again with other seeds, and what each of them says, beside a larger one.

Run it as `python -m benchmarks.replication STORE [--beside STORE ...] [--seeds N] [-- OPTIONS]`, with options of
`prefect run reproduce`. It runs the campaign with `--seed` 0 to N - 1 (7) in one store, what is stored there already
is not trained again, and takes what the newest reports of the other stores say as the truth. Prints a table in
Markdown, a row for each thing that a report says in a word, and writes it to benchmarks/results/replication.json.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.keeping import keep
from benchmarks.reports import newest
from tasks.report.numbers.metrics import BY_NAME, METRICS
from tasks.report.numbers.verdicts import difference_verdict, effect_verdict
from tasks.report.training.measures import MEASURES

ROOT = Path(__file__).parents[1]
WORDS = {"better": "helps", "worse": "hurts"}
Said = dict[str, tuple[float | None, str]]
"""By what is spoken of: the number, and the word."""


def run(store: str, seed: int, options: Sequence[str]) -> None:
    """The campaign with a seed, as a person types it."""
    command = [sys.executable, "-m", "prefect", "run", "reproduce", "--store", store, "--seed", str(seed), "--plain"]
    subprocess.run([*command, *options], cwd=ROOT, env=dict(os.environ, DO_NOT_TRACK="1"), check=True)  # noqa: S603


def said(document: Mapping[str, Any]) -> Said:
    """Everything that a report says in a word."""
    return dict((*_effects(document), *_differences(document), *_ease(document)))


def _first_metric(document: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return bool(row["metric"] == METRICS[document["corpora"][row["corpus"]]["kind"]][0].name)


def _effects(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[float | None, str]]]:
    for row in document["effects"]:
        if _first_metric(document, row) and row["n_pairs"]:
            word = effect_verdict(row, BY_NAME[row["metric"]].decimals)
            yield f"{row['corpus']}: effect of {row['technique']}", (row["effect"], WORDS.get(word, "unclear"))


def _differences(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[float | None, str]]]:
    for row in document["scores"]:
        if _first_metric(document, row) and row["reference"]:
            word = difference_verdict(row, BY_NAME[row["metric"]].decimals)
            yield f"{row['corpus']}: {row['variant']}", (row["difference"], WORDS.get(word, "unclear"))


def _ease(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[float | None, str]]]:
    for row in document["ease"]["techniques"]:
        if row["n_pairs"] and row["value"] is not None:
            measure = MEASURES[row["measure"]]
            unit = "times as many, less 1" if measure.unit == "times" else "points"
            word = WORDS.get(row["verdict"], "unclear")
            yield (
                f"{row['corpus']}: {measure.name}, effect of {row['technique']} ({unit})",
                (row["value"] - measure.neutral, word),
            )


def table(campaigns: Sequence[Said], truth: Said) -> list[dict[str, Any]]:
    """A row a thing that is said: its numbers and words by campaign, and those of the larger one."""
    rows = []
    for name in dict.fromkeys(name for each in campaigns for name in each):
        told = [each.get(name, (None, "not told")) for each in campaigns]
        words = [word for _, word in told]
        rows.append(
            {
                "what": name,
                "numbers": [number for number, _ in told],
                "words": words,
                "helps": words.count("helps"),
                "hurts": words.count("hurts"),
                "larger": truth.get(name),
            }
        )
    return rows


def contradicted(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is called both, and what has another sign in the larger campaign."""
    found = [f"{row['what']}: both helps and hurts" for row in rows if row["helps"] and row["hurts"]]
    for row in rows:
        larger, _ = row["larger"] or (None, "")
        told = [n for n, word in zip(row["numbers"], row["words"], strict=True) if word in WORDS.values()]
        if larger is not None and any(number * larger < 0 for number in told):
            found.append(f"{row['what']}: of the other sign in the larger campaign, {larger:+.3f}")
    return found


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| | by campaign | helps | hurts | larger campaign |", "|---|---|---|---|---|"]
    for row in rows:
        numbers = ", ".join(
            "–" if number is None else f"{number:+.3f}{'*' if word in WORDS.values() else ''}"
            for number, word in zip(row["numbers"], row["words"], strict=True)
        )
        larger = (
            "" if row["larger"] is None or row["larger"][0] is None else f"{row['larger'][0]:+.3f} {row['larger'][1]}"
        )
        lines.append(f"| {row['what']} | {numbers} | {row['helps']} | {row['hurts']} | {larger} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("--beside", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("options", nargs="*")
    asked = parser.parse_args()
    campaigns = []
    for seed in range(asked.seeds):
        run(asked.store, seed, asked.options)
        campaigns.append(said(newest(asked.store)))
    truth = {name: told for address in asked.beside for name, told in said(newest(address)).items()}
    rows = table(campaigns, truth)
    print(markdown(rows))
    problems = contradicted(rows)
    print("\n".join(problems) or "nothing is contradicted")
    keep("replication", {"options": asked.options, "rows": rows, "contradicted": problems})


if __name__ == "__main__":
    main()
