"""Success against the lag: which corpora are a family, what the table says, and what a panel draws."""

import dataclasses
import json
import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.report import Results, estimate
from tasks.report.charts.colours import COLOURS
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.results import PIECE_COLUMNS
from tasks.report.pages.lags import lag_families, lag_panel
from tests.tasks.report.inert import EVIL, check_inert
from tests.tasks.report.pages_made import drawn_page, undrawn_page
from tests.tasks.report.synthetic import synthetic_results

FAMILY = "rnn/softmax/SGD"
SHARES = {"": {20: 1.0, 50: 0.25, 100: None}, "+C": {20: 1.0, 50: 0.5, 100: 0.25}, "+CL": {20: 1.0, 50: 1.0, 100: 0.75}}
SEEDS, PIECES = 3, 40


def _right(share: float, seed: int) -> np.ndarray:
    return np.roll(np.arange(PIECES) < round(share * PIECES), seed).astype(float)


@cache
def _base() -> Results:
    return synthetic_results(studies=1, seeds=1, trials=1, epochs=6)


def _results(name: str = "temporal-order", lags: tuple[int, ...] = (100, 20, 50)) -> Results:
    """Three variants on three lags; the last has no score of the plain one. The corpora come in no order."""
    base = _base()
    facts = base.corpora["folk-tunes-words"]
    corpora = {
        f"{name}-{lag}": {**facts, "kind": "temporal-order", "source": {"family": name, "lag": lag}} for lag in lags
    }
    rows: list[dict[str, Any]] = []
    for lag in lags:
        shared = {"corpus": f"{name}-{lag}", "steps": 1, "accuracy": np.nan, "union_accuracy": np.nan}
        told = [(f"{FAMILY}{letters}", seed, _right(share, seed)) for letters, by_lag in SHARES.items()
                for seed in range(SEEDS) if (share := by_lag[lag]) is not None]  # fmt: skip
        told.append(("baseline/unigram", 0, _right(0.25, 0)))
        rows += [
            shared | {"variant": variant, "key": f"{variant}{seed}" if seed else "", "study": 0, "seed": seed,
                      "piece": f"test {p}", "log_likelihood": np.log(0.25 + 0.7 * it), "success": it}
            for variant, seed, right in told for p, it in enumerate(right)
        ]  # fmt: skip
    variants = [f"{FAMILY}{letters}" for letters in SHARES]
    return dataclasses.replace(
        base,
        pieces=pd.DataFrame(rows, columns=list(PIECE_COLUMNS)),
        corpora=corpora,
        portraits=dict.fromkeys(corpora, base.portraits["folk-tunes-words"]),
        campaign={
            **base.campaign,
            "corpora": dict.fromkeys(corpora, variants),
            "spaces": dict.fromkeys(corpora, {}),
            "seeds": SEEDS,
        },
        trials=base.trials.iloc[:0],
        curves=base.curves.iloc[:0],
        failures=[],
    )


@pytest.fixture(scope="module")
def results() -> Results:
    return _results()


@pytest.fixture(scope="module")
def estimates(results: Results):
    return estimate(results, resamples=200)


def test_the_corpora_of_a_family_are_in_the_order_of_their_lags(results, estimates):
    (family,) = lag_families(results, estimates)
    assert (family.name, family.metric.name, family.chance) == ("temporal-order", "success", "25.0 %")
    assert family.table.columns == ("variant", "lag 20", "lag 50", "lag 100")
    rows = {row[0]: [cell.split(" ")[0] for cell in row[1:]] for row in family.table.rows}
    assert rows == {
        "SGD": ["100.0", "25.0", "held"],
        "SGD+C": ["100.0", "50.0", "25.0"],
        "SGD+CL": ["100.0", "100.0", "75.0"],
    }
    assert [title for title, _ in family.panels] == ["SGD+C", "SGD+CL"]


def test_the_intervals_are_those_of_the_scores(results, estimates):
    (family,) = lag_families(results, estimates)
    score = estimates.primary("temporal-order-50").set_index("variant").loc[f"{FAMILY}+C"]
    cell = next(row for row in family.table.rows if row[0] == "SGD+C")[2]
    assert cell == f"50.0 [{score['low']:.1f}, {score['high']:.1f}]"


def test_one_lag_is_no_family_and_other_corpora_are_none(estimates):
    one = _results(lags=(20,))
    assert lag_families(one, estimate(one, resamples=50)) == ()
    other = _base()
    assert lag_families(other, estimate(other, resamples=50)) == ()


def _rows(layer: Any) -> list[dict[str, Any]]:
    return json.loads(layer.to_dict(validate=False)["data"]["values"])


def test_a_panel_draws_both_variants_with_intervals_and_no_line_over_a_gap(results, estimates):
    frames = [estimates.primary(f"temporal-order-{lag}").assign(lag=lag) for lag in (20, 50, 100)]
    trained = pd.concat(frames).query("not variant.str.startswith('baseline')")
    gone = trained.copy()
    gone.loc[(gone["variant"] == f"{FAMILY}+CL") & (gone["lag"] == 50), "mean"] = np.nan
    chart = lag_panel(gone, f"{FAMILY}+CL", 25.0, METRICS["temporal-order"][0])
    chance, plain_line, _, plain_points, line, bars, points = chart.layer
    assert _rows(chance) == [{"low": 25.0}]
    assert [(row["lag"], row["mean"]) for row in _rows(plain_points)] == [(20, 100.0), (50, 25.0)]
    assert [(row["lag"], row["mean"]) for row in _rows(points)] == [(20, 100.0), (100, 75.0)]
    assert all(row["low"] <= row["mean"] <= row["high"] for row in _rows(bars))
    assert len({row["part"] for row in _rows(plain_line)}) == 1
    assert len({row["part"] for row in _rows(line)}) == 2, "lag 50 has no score: two pieces of line"


@pytest.mark.integration
def test_the_page_has_a_section_with_its_drawings_in_known_colours_whatever_the_family_is_called():
    html = drawn_page(_results(EVIL))
    check_inert(html)
    (section,) = re.findall(r'<section id="lags-1".*?</section>', html, re.DOTALL)
    assert section.count('role="img"') == 2
    assert "100.0 at lag 20, 50.0 at lag 50, 25.0 at lag 100" in section
    assert set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', section)) <= COLOURS
    assert '<a href="#lags-1">' in html


def test_a_campaign_of_the_plain_one_alone_and_without_scores(results):
    alone = results.pieces[results.pieces["variant"].isin([FAMILY, "baseline/unigram"])]
    asked = dict.fromkeys(results.corpora, [FAMILY])
    plain = dataclasses.replace(results, pieces=alone, campaign={**results.campaign, "corpora": asked})
    (family,) = lag_families(plain, estimate(plain, resamples=50))
    assert [title for title, _ in family.panels] == ["SGD"]
    nothing = dataclasses.replace(plain, pieces=alone[alone["variant"] != FAMILY])
    check_inert(undrawn_page(nothing))
