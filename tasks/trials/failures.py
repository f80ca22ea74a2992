"""The failures of a job's trials. If all trials fail for one reason, the job stops after a few and reports it once.

Two reasons are of one kind if they differ only in numbers and keys. What this does not do: decide which trials are sent
again; `search/dispatch.py` does.
"""

import re
import traceback
from collections.abc import Iterable, Mapping, Sequence

from infra.errors import CounterpointError
from models.trial import Trial

FEW = 3
"""After this many failures of one kind, at least one of each variant, and no success, a job tries no further trials."""
NOT_TRIED = "not tried, since all before it in its job ended so: "
_NOT_TRIED_BEFORE = "not tried, since all before it in its portion ended so: "
"""The words of older versions, which stored reports have."""

Failure = dict[str, str]
"""`key` of the trial, `reason` in one line; `traceback` too, for the first of a kind that may be a defect."""

_PARTICULAR = re.compile(r"[0-9a-f]{8,}|\d+")


def _in_turns(stacks: Iterable[Sequence[Trial]]) -> list[Sequence[Trial]]:
    """The stacks in turns: the first of each variant, then the second of each, so that each variant is tried early."""
    seen: dict[str, int] = {}
    turns = []
    for stack in stacks:
        turns.append((seen.setdefault(stack[0].variant, 0), stack))
        seen[stack[0].variant] += 1
    return [stack for _, stack in sorted(turns, key=lambda turn: turn[0])]


class Failures:
    """The failed trials of a job.

    Args:
        stacks: the job's trials; those of a stack are trained side by side.

    Attributes:
        stacks: the stacks in the order in which they are tried, each variant early.
        all: the failures so far.
    """

    def __init__(self, stacks: Sequence[Sequence[Trial]]) -> None:
        self.stacks = _in_turns(stacks)
        self.all: list[Failure] = []
        self._kinds: set[str] = set()
        self._waiting = {trial.variant for stack in stacks for trial in stack}
        self._succeeded = False

    def succeeded(self) -> None:
        """Note that a trial was completed."""
        self._succeeded = True

    def add(self, trials: Iterable[Trial], error: Exception) -> bool:
        """Note trials that raised; return whether theirs is the first reason of its kind."""
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        of_kind = kind(reason)
        first = of_kind not in self._kinds
        self._kinds.add(of_kind)
        for trial in trials:
            self.all.append({"key": trial.key, "reason": reason})
            self._waiting.discard(trial.variant)
        if first and not isinstance(error, CounterpointError | OSError | MemoryError):
            self.all[-1]["traceback"] = "".join(traceback.format_exception(error))
        return first

    def leave(self, trials: Iterable[Trial]) -> bool:
        """Whether there is no point in trying these; then they have failed for the reason that all others have."""
        if self._succeeded or self._waiting or len(self.all) < FEW or len(self._kinds) != 1:
            return False
        why = _cause(self.all[0]["reason"])
        self.all += [{"key": trial.key, "reason": f"{NOT_TRIED}{why}"} for trial in trials]
        return True


def kind(reason: str) -> str:
    """What is the same of reasons that differ in numbers and keys alone.

    >>> kind("OSError: trials/0123456789abcdef: line 12") == kind("OSError: trials/fedcba9876543210: line 7")
    True
    """
    return _PARTICULAR.sub("#", _cause(reason))


def _cause(reason: str) -> str:
    """The reason without the words that its trial was not tried."""
    return reason.removeprefix(NOT_TRIED).removeprefix(_NOT_TRIED_BEFORE)


def told(failures: Iterable[Failure], trials: Mapping[str, Trial], names: Mapping[str, str]) -> list[str]:
    """A line a kind of reason, with its count and the first trial, and after it the traceback of a defect.

    Args:
        failures: of some jobs.
        trials: by key.
        names: of the corpora, by digest.
    """
    named = [
        {**failure, "corpus": names[trials[failure["key"]].corpus], "variant": trials[failure["key"]].variant}
        for failure in failures
    ]
    traces = [next((each["traceback"] for each in group if "traceback" in each), "") for group in _groups(named)]
    return [f"{line}\n{trace}".rstrip() for line, trace in zip(failure_lines(named), traces, strict=True)]


def failure_lines(failures: Iterable[Mapping[str, str]]) -> list[str]:
    """A line a kind of reason, with its count and the first trial.

    Args:
        failures: `corpus`, `variant`, `key` and `reason` of each, as `results.json` has them.
    """
    return [_line(*group) for group in _groups(failures)]


def _groups(failures: Iterable[Mapping[str, str]]) -> list[list[Mapping[str, str]]]:
    groups: dict[str, list[Mapping[str, str]]] = {}
    for failure in failures:
        groups.setdefault(kind(failure["reason"]), []).append(failure)
    return list(groups.values())


def _line(first: Mapping[str, str], *others: Mapping[str, str]) -> str:
    which = f"{first['corpus']} {first['variant']} {first['key'][:12]}"
    return f"{which}{f' and {len(others):,} more' if others else ''}: {_cause(first['reason'])}"
