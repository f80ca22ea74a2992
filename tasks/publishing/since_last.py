"""Compare a report with the last one of its preset, as it is published, and tell a Prefect server of both.

    event counterpoint.report.published    every report
          counterpoint.report.regressed    a score is worse than in the last report, and chance does not explain it;
                                           or a variant lost its score, as when all its seeds diverge
          counterpoint.report.improved     none is worse, and one is better
    resource counterpoint.report.VERSION   with the label counterpoint.preset

The words are those of `prefect run compare`, and rest on its intervals. The payload of an event is small: its text, the
addresses and versions, and the scores that a word was found for. A server's automations turn events into messages
(`infra/server/notifications.py`).

What this does not do: compare on a temporary server, which nobody asks for events; or fail, since the report is
published in any case.
"""

from collections.abc import Mapping
from typing import Any

from infra.errors import CounterpointError
from infra.server.run_page import leave_event, tag_run, tell_all
from infra.store import Store
from tasks.publishing.compare import NoVersionBeforeError, compare_versions
from tasks.report.compared import Comparison
from tasks.report.compared.words import corpus_sentence, headline
from tasks.report.export import plain_json
from tasks.report.numbers.formatting import plural

FIRST, NOT_COMPARED = "the first of its preset", "not compared"
REGRESSED, IMPROVED, NO_WORD = "regressed", "improved", "cannot be told"
MOST_SCORES = 50
"""Most scores in the payload of an event."""
_COLUMNS = ("corpus", "variant", "metric", "before", "after", "change", "sim_low", "sim_high", "verdict")


def tell_since_last(store: Store, version: str, preset: str, report: str) -> None:
    """Compare a report with the last one of its preset, write the answer to the log, and leave the events.

    Args:
        store: of the reports.
        version: of the report, which is the newest of its preset.
        preset: of its campaign.
        report: address of its page.
    """
    content = _against_last(store, version)
    content = {"store": store.address, "report": report, "version": version, "preset": preset, **content}
    verdict = content["verdict"]
    text = f"{preset}: {content['said']}"
    if verdict != FIRST:
        tell_all(f"against the last report of {text}")
    payload = {**content, "text": f"{text}\n{report}"}
    names = ("published", verdict) if verdict in (REGRESSED, IMPROVED) else ("published",)
    for name in names:
        leave_event(f"report.{name}", f"report.{version}", {"preset": preset}, payload)
    if verdict == REGRESSED:
        tag_run(REGRESSED)


def _against_last(store: Store, version: str) -> dict[str, Any]:
    try:
        comparison = compare_versions([version], store.address)
    except NoVersionBeforeError:
        return {"verdict": FIRST, "previous": None, "said": f"{FIRST}, {version}", "scores": []}
    except CounterpointError as error:
        return {"verdict": NOT_COMPARED, "previous": None, "said": f"{NOT_COMPARED}, {error}", "scores": []}
    return {
        "verdict": verdict_of(comparison),
        "previous": comparison.before,
        "said": said_of(comparison),
        "scores": [_score(row) for row in _moved(comparison)[:MOST_SCORES]],
    }


def verdict_of(comparison: Comparison) -> str:
    """The word for all scores: `regressed` if one did or is gone, else `improved` if one did, else `cannot be told`."""
    words = {REGRESSED if _gone(row) else row["verdict"] for row in comparison.scores}
    return next((word for word in (REGRESSED, IMPROVED) if word in words), NO_WORD)


def said_of(comparison: Comparison) -> str:
    """The comparison in sentences: one on all scores, and one on each corpus with a score that moved."""
    moved = {row["corpus"] for row in _moved(comparison)}
    gone = sum(map(_gone, comparison.scores))
    lost = f", and {plural(gone, 'score')} gone" if gone else ""
    parts = [f"{headline(comparison)}{lost}: {comparison.before} -> {comparison.after}"]
    parts += [corpus_sentence(comparison, data) for data in comparison.data if data.corpus in moved]
    return "\n".join(parts)


def _moved(comparison: Comparison) -> list[Mapping[str, Any]]:
    """The scores that moved or are gone, those that improved last."""
    rows = [row for row in comparison.scores if row["verdict"] in (REGRESSED, IMPROVED) or _gone(row)]
    return sorted(rows, key=lambda row: row["verdict"] == IMPROVED)


def _gone(row: Mapping[str, Any]) -> bool:
    """Whether a variant that both versions asked for had scores before, and has none after."""
    before, after = row["seeds"]
    return row["verdict"] == "no score" and before > 0 and not after


def _score(row: Mapping[str, Any]) -> dict[str, Any]:
    """A score of the payload, with the interval that its word rests on."""
    values = {name: row[name] for name in _COLUMNS}
    values["low"], values["high"] = values.pop("sim_low"), values.pop("sim_high")
    found: dict[str, Any] = plain_json(values)
    return found
