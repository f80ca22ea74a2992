"""The sentences on all corpora together, and their rows of `results.json`."""

from collections.abc import Mapping
from typing import Any

from tasks.report.numbers.formatting import interval, joined, number, plural
from tasks.report.numbers.variant_titles import PLAIN
from tasks.report.over_corpora.aggregate import Aggregate, Compared

DECIMALS = 2


def aggregate_sentence(found: Aggregate | None) -> str:
    """The best variant over all corpora, and those that are better or worse than plain SGD; "" if there are none."""
    if found is None:
        return ""
    best, plain = found.variants[0], next(each for each in found.variants if each.variant == PLAIN)
    over = f"Over {plural(len(found.scales), 'corpus', 'corpora')}, where 0 is counting and 1 is {_ones(found)},"
    if best.iqm != best.iqm:
        return f"{over} more than a quarter of the runs of every variant have no score."
    said = f"{over} {best.variant} has the highest interquartile mean, {_mean(best)}"
    said += "." if best is plain else f"; plain SGD has {_mean(plain)}."
    return " ".join([said, *_beside_plain(found)])


def _ones(found: Aggregate) -> str:
    """What 1 stands for, with the corpora if it is not the same on all of them."""
    told: dict[str, list[str]] = {}
    for scale in found.scales:
        what = "the best published score" if scale.source else "the best of this campaign"
        told.setdefault(what if scale.source or scale.is_own else scale.one_of, []).append(scale.corpus)
    if len(told) == 1:
        return next(iter(told))
    most = max(told, key=lambda what: len(told[what]))
    others = [f"{what} on {joined(names)}" for what, names in told.items() if what != most]
    return f"{joined(others)} and {most} elsewhere"


def _mean(row: Compared) -> str:
    return f"{number(row.iqm, DECIMALS)} {interval(*row.iqm_ends, DECIMALS)}".rstrip()


def _beside_plain(found: Aggregate) -> list[str]:
    rows = [row for row in found.variants if row.variant != PLAIN]
    if not found.replicated:
        return ["One study is too little to say what is more often better than plain SGD."]
    told = []
    for said, words in (("better", "more often better than plain SGD than not"), ("worse", "more often worse")):
        names = [
            f"{row.variant} (probability {number(row.improvement, DECIMALS)}"
            f" {interval(*row.improvement_at_once, DECIMALS)})"
            for row in rows
            if row.said == said
        ]
        if names:
            told.append(f"{joined(names)} {'is' if len(names) == 1 else 'are'} {words}.")
    return told or [
        "No variant is more often better than plain SGD, or more often worse, that can be told from chance."
    ]


def aggregate_json(found: Aggregate | None) -> Mapping[str, Any] | None:
    """Everything of it; None where there are too few corpora."""
    if found is None:
        return None
    return {
        "line": aggregate_sentence(found),
        "corpora": [
            {
                "corpus": scale.corpus,
                "metric": scale.metric.name,
                "zero": scale.zero,
                "zero_of": scale.zero_of,
                "one": scale.one,
                "one_of": scale.one_of,
                "source": scale.source,
            }
            for scale in found.scales
        ],
        "left_out": found.left_out,
        "missing": found.missing,
        "variants": [_variant_json(row) for row in found.variants],
        "profile": {"threshold": found.thresholds.tolist()}
        | {
            row.variant: dict(zip(("share", "low", "high"), row.profile.tolist(), strict=True))
            for row in found.variants
        },
    }


def _variant_json(row: Compared) -> dict[str, Any]:
    ends = {"iqm": row.iqm_ends, "improvement": row.improvement_ends, "improvement_sim": row.improvement_at_once}
    told = {"variant": row.variant, "iqm": row.iqm, "improvement": row.improvement}
    told |= {
        f"{name}_{end}": value for name, both in ends.items() for end, value in zip(("low", "high"), both, strict=True)
    }
    return told | {"verdict": row.said, "runs": row.runs, "lost": row.lost}
