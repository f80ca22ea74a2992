"""A made-up campaign that looks like a real one, to see and test the report without training anything.

16 variants on a music corpus and 4 on characters and on words; beside them another output model on music and on words,
and another optimizer on music (`BESIDE`). The techniques have known effects (`EFFECTS`), pieces differ much, seeds
little, and so do studies; some trials diverge. On the music corpus LR is held back, since a trial of each of its
searches failed; a final trial of CR failed and one of M diverged.
"""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from tasks.report.numbers.resamples import numpy_generator
from tasks.report.numbers.results import CURVE_COLUMNS, DIAGNOSTIC_COLUMNS, PIECE_COLUMNS, TRIAL_COLUMNS, Results
from tests.tasks.report.synthetic_corpora import describe_corpus, synthetic_corpus
from tests.tasks.report.synthetic_diagnostics import diagnostics_of
from tests.tasks.report.synthetic_samples import synthetic_samples

# Nats per step by which a technique raises the log-likelihood.
EFFECTS = {
    "music": {"C": 0.30, "L": 0.0, "R": 0.12, "M": -0.06},
    "characters": {"C": 0.04, "L": 0.0, "R": 0.02},
    "words": {"C": 0.001, "L": -0.001, "R": 0.0},
}
PLAIN = {"music": -8.95, "characters": -1.42, "words": -5.2}
BASELINES = {
    "music": {"uniform": -61.0, "one-probability": -15.4, "note-probability": -10.6},
    "characters": {"uniform": -3.9, "unigram": -2.3},
    "words": {"uniform": -8.1, "unigram": -6.3},
}
SUBSETS = tuple("".join(letters) for size in range(5) for letters in combinations("CLRM", size))
TEXT_SUBSETS = ("", "C", "CL", "CLR")
BESIDE = {
    "music": ("rnn/bernoulli/Adam+C", "rnn/nade/SGD", "rnn/nade/SGD+CM"),
    "characters": (),
    "words": ("rnn/classes/SGD", "rnn/classes/SGD+C"),
}
_RATES = {"low": 1e-4, "high": 1e-1, "scale": "log"}
SPACES = {"music": {"learning_rate": _RATES}, "words": {"hidden_size": {"low": 100, "high": 4000}}}
# Share of the score by which the luck of a study's search moves it.
LUCK = 0.002
# Nats per step by which another output model or optimizer raises the log-likelihood.
RAISED = {"rnn/nade/SGD": 0.7, "rnn/bernoulli/Adam": -0.5}


def synthetic_results(
    *, studies: int = 4, seeds: int = 2, trials: int = 4, epochs: int = 24, random_seed: int = 0
) -> Results:
    """A campaign over three corpora; equal arguments give equal results, and more studies move none of the first's."""
    rng = np.random.default_rng(random_seed)
    made = {
        "bach-chorales": ("music", 37, 50, 0),
        "folk-tunes-characters": ("characters", 60, 300, 64),
        "folk-tunes-words": ("words", 60, 70, 900),
    }
    whole = {name: synthetic_corpus(name, *size) for name, size in made.items()}
    described = {name: describe_corpus(corpus) for name, corpus in whole.items()}
    corpora = {
        name: facts | {"counting": max(BASELINES[facts["kind"]].values())} for name, (facts, _) in described.items()
    }
    rows: dict[str, list[dict[str, Any]]] = {"trials": [], "curves": [], "diagnostics": [], "pieces": []}
    asked = {}
    for name, facts in corpora.items():
        kind = facts["kind"]
        family = "rnn/bernoulli" if kind == "music" else "rnn/softmax"
        subsets = SUBSETS if kind == "music" else TEXT_SUBSETS
        asked[name] = [f"{family}/SGD" + (f"+{letters}" if letters else "") for letters in subsets]
        asked[name] += BESIDE[kind]
        mean_steps = made[name][2]
        steps = rng.integers(mean_steps // 2, mean_steps * 2, facts["pieces"]["test"])
        difficulty = rng.normal(0, {"music": 1.4, "characters": 0.15, "words": 0.4}[kind], len(steps))
        for baseline, level in BASELINES[kind].items():
            spread = 0 if baseline == "uniform" else 1
            rows["pieces"] += _pieces(
                rng, name, kind, (f"baseline/{baseline}", "", 0, 0), level, steps, spread * difficulty
            )
        for variant in asked[name]:
            for study in range(studies):
                # What one variant or study does moves no other's numbers.
                own = numpy_generator(random_seed, name, variant, *([str(study)] if study else []))
                _variant(own, rows, name, kind, variant, study, steps, difficulty, (seeds, trials, epochs))
    failed = [row for row in rows["trials"] if row["status"] == "failed"]
    return Results(
        trials=pd.DataFrame(rows["trials"], columns=list(TRIAL_COLUMNS)),
        curves=pd.DataFrame(rows["curves"], columns=list(CURVE_COLUMNS)),
        diagnostics=pd.DataFrame(rows["diagnostics"], columns=list(DIAGNOSTIC_COLUMNS)),
        pieces=pd.DataFrame(rows["pieces"], columns=list(PIECE_COLUMNS)),
        corpora=corpora,
        portraits={name: portrait for name, (_, portrait) in described.items()},
        campaign={
            "preset": "default", "title": "made up", "trials_per_variant": studies * trials, "studies": studies,
            "trials_per_study": trials, "rungs": 1,
            "seeds": seeds,
            "epochs": dict.fromkeys(corpora, epochs), "seed": random_seed,
            "spaces": {name: SPACES.get(facts["kind"], {}) for name, facts in corpora.items()},
            "plan_minutes": 3.4, "corpora": asked,
        },
        provenance={
            "commit": "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334", "dirty": False, "lock": "ab" * 32,
            "versions": {"python": "3.11.2", "torch": "2.13.0", "numpy": "2.4.6", "counterpoint": "0.1.0"},
            "processor": "Example CPU 2.5 GHz", "cores": 2, "platform": "Linux-x86_64", "flow_run": None,
            "started": "2026-10-03T04:05:06+00:00", "finished": "2026-10-03T04:08:40+00:00", "seconds": 214.2,
        },
        failures=[{k: row[k] for k in ("key", "corpus", "variant", "reason")} for row in failed],
        samples=synthetic_samples(whole, rows["trials"]),
    )  # fmt: skip


def estimated_results(results: Results, variant: str, error: float) -> Results:
    """The results as if a music variant had an RBM, of a likelihood with so large a standard error a frame."""
    frames = {name: getattr(results, name).copy() for name in ("trials", "curves", "pieces")}
    pieces = frames["pieces"]
    mine = pieces["variant"] == variant
    pieces.loc[mine, "log_likelihood_error"] = error * pieces.loc[mine, "steps"]
    renamed = {variant: variant.replace("bernoulli", "rbm")}
    for frame in frames.values():
        frame["variant"] = frame["variant"].replace(renamed)
    asked = {k: [renamed.get(name, name) for name in names] for k, names in results.campaign["corpora"].items()}
    return replace(results, campaign={**results.campaign, "corpora": asked}, **frames)


def _variant(
    rng: np.random.Generator, rows: dict[str, list[dict[str, Any]]], corpus: str, kind: str, variant: str,
    study: int, steps: np.ndarray, difficulty: np.ndarray, size: tuple[int, int, int],
) -> None:  # fmt: skip
    seeds, trials, epochs = size
    letters = variant.partition("+")[2]
    raised = RAISED.get(variant.partition("+")[0], 0.0)
    luck = rng.normal(0, LUCK * abs(PLAIN[kind]))
    good = PLAIN[kind] + raised + sum(EFFECTS[kind][letter] for letter in letters) + luck
    search = [_trial(rng, corpus, kind, variant, study, "search", i, good) for i in range(trials)]
    held_back = any(trial["status"] == "failed" for trial in search)
    chosen = max(search, key=lambda trial: (trial["status"] == "completed", trial["valid"]))
    chosen["selected"] = not held_back
    finals = []
    for seed in range(0 if held_back else seeds):
        final = dict(
            chosen,
            key=_key(rng),
            purpose="final",
            seed=seed,
            valid_first=np.nan,
            selected=False,
            chosen_from=chosen["key"],
        )
        final["valid"] = good + rng.normal(0, 0.02)
        if (letters, study, seed) == ("M", 0, 1):
            final |= {"status": "diverged", "diverged_at": 300}
        if (kind, letters, study, seed) == ("music", "CR", 1, 1):
            final |= {"status": "failed", "reason": "WorkerLost: killed three times", "valid": np.nan}
        finals.append(final)
    for trial in [*search, *finals]:
        rows["trials"].append(trial)
        if trial["purpose"] == "final" and trial["status"] != "failed":
            rows["curves"] += _curve(rng, trial, epochs)
            measured = numpy_generator(trial["seed"], trial["key"])  # apart, so that it moves no number of the others
            rows["diagnostics"] += diagnostics_of(measured, trial, letters)
    for final in finals:
        if final["status"] == "completed":
            level = good + rng.normal(0, 0.02)
            trial = (variant, final["key"], study, final["seed"])
            rows["pieces"] += _pieces(rng, corpus, kind, trial, level, steps, difficulty)


def _key(rng: np.random.Generator) -> str:
    return rng.bytes(32).hex()


def _trial(
    rng: np.random.Generator, corpus: str, kind: str, variant: str, study: int, purpose: str, seed: int, good: float
) -> dict[str, Any]:
    letters = variant.partition("+")[2]
    rate = 10 ** rng.uniform(-4, -1)
    off = np.log10(rate) + 2.2 - (0.4 if "C" in letters else 0) + (0.4 if "M" in letters else 0)
    diverged = seed > 0 and off > 0.9 and "C" not in letters
    status = "failed" if (letters, seed) == ("LR", 2) else "diverged" if diverged else "completed"
    valid = good - 0.35 * off**2 * abs(PLAIN[kind]) / 9 - abs(rng.normal(0, 0.05))
    return {
        "key": _key(rng), "corpus": corpus, "kind": kind, "variant": variant, "purpose": purpose, "status": status,
        "reason": "MemoryError: 2.1 GiB asked for, 1.9 GiB allowed" if status == "failed" else "",
        "study": study, "seed": seed,
        "hidden_size": int(rng.integers(100, 401)), "activation": "relu" if "R" in letters else "tanh",
        "learning_rate": rate, "techniques": _techniques(rng, letters),
        "valid": valid if status == "completed" else np.nan, "best_epoch": 7, "updates": 480, "epochs": 24,
        "diverged_at": 120.0 if diverged else np.nan, "stalled": False,
        "seconds": rng.uniform(0.4, 2.0), "parameters": 60_000,
        "valid_first": valid if status == "completed" and purpose == "search" else np.nan,
        "ended_early": False, "selected": False, "chosen_from": "",
    }  # fmt: skip


def _techniques(rng: np.random.Generator, letters: str) -> dict[str, dict[str, Any]]:
    draw = {
        "C": lambda: {"threshold": 10 ** rng.uniform(0, 2)},
        "L": lambda: {"share": 0.5, "reading": "update-rate", "low": 0.02, "high": 0.2},
        "R": lambda: {"l1": 10 ** rng.uniform(-6, -3)},
        "M": lambda: {"momentum": rng.uniform(0.001, 0.95)},
    }
    return {letter: draw[letter]() for letter in letters}


def _curve(rng: np.random.Generator, trial: dict[str, Any], epochs: int) -> list[dict[str, Any]]:
    last = trial["valid"] if trial["status"] == "completed" else PLAIN[trial["kind"]] * 1.05
    start = 3 * PLAIN[trial["kind"]]
    length = epochs // 3 if trial["status"] == "diverged" else epochs - int(rng.integers(0, 4))
    speed = rng.uniform(0.25, 0.4)
    epoch = np.arange(1, length + 1)
    valid = last + (start - last) * np.exp(-speed * epoch) + rng.normal(0, 0.004 * abs(last), length)
    shared = {k: trial[k] for k in ("key", "corpus", "variant", "learning_rate")}
    return [
        shared | {"update": int(e) * 20, "epoch": int(e), "train": v + 0.05 * e / epochs, "valid": v,
                  "gradient_norm": float(np.exp(rng.normal(0, 0.3))), "clipped_share": rng.uniform(0, 0.3),
                  "largest_norm": 4.0, "update_ratio": 0.002}
        for e, v in zip(epoch, valid, strict=True)
    ]  # fmt: skip


def _pieces(
    rng: np.random.Generator, corpus: str, kind: str, trial: tuple[str, str, int, int], level: float,
    steps: np.ndarray, difficulty: np.ndarray,
) -> list[dict[str, Any]]:  # fmt: skip
    shared = dict(zip(("variant", "key", "study", "seed"), trial, strict=True))
    noise = 0.0 if not difficulty.any() else rng.normal(0, 0.02 * abs(level), len(steps))
    means = level + difficulty + noise
    accuracy = (
        np.maximum(0.04, 1 / (1 + np.exp(-0.6 * (means + 10.5)))) if kind == "music" else np.full(len(steps), np.nan)
    )
    return [
        {"corpus": corpus, **shared, "piece": f"piece {i:03d}", "steps": int(n),
         "log_likelihood": mean * n, "accuracy": share * n, "union_accuracy": 0.9 * share * n, "success": np.nan}
        for i, (n, mean, share) in enumerate(zip(steps, means, accuracy, strict=True))
    ]  # fmt: skip
