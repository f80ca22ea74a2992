"""A command of `scale.py`: `prefect run` as it is, but for its trainer, which gives a prepared result at once.

`python -m benchmarks.scale_command FOLDER FAILING COMMAND ...`: the results of one trial a variant are in FOLDER; the
trials of the variants FAILING (with commas between; `-` for none) raise instead, all for one reason. What the stages of
the flow took goes to FOLDER/stages.json, and each request to S3, of all processes, is a line of FOLDER/requests.
"""

import hashlib
import json
import os
import pickle
import resource
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from models.trial import Trial

RESULTS, STAGES, REQUESTS = "results.pickle", "stages.json", "requests"
ASKED = "COUNTERPOINT_SCALE"
REASON = "the same defect in every trial"


@dataclass(frozen=True)
class Stage:
    """What a stage took: seconds, processor seconds of the flow and of all processes, and the flow's MiB so far."""

    seconds: float
    flow_processor: float
    processor: float
    flow_mib: float


def processor_seconds() -> float:
    """Of this process, and of all that it started and that are there, or were waited for."""
    import psutil

    own = psutil.Process()
    return sum(sum(each.cpu_times()[:4]) for each in (own, *own.children(recursive=True)))


class Watch:
    """What each stage of the flow took, in the order in which they ended."""

    def __init__(self, path: Path) -> None:
        self.path, self.stages = path, dict[str, Stage]()

    def watched(self, function: Callable[..., Any], *stages: str) -> Callable[..., Any]:
        """The function; what its first call takes counts for the first stage, and so on."""
        names = iter(stages)

        def call(*arguments: Any, **named: Any) -> Any:
            name = next(names)
            began, flow, all_of_them = time.perf_counter(), time.process_time(), processor_seconds()
            try:
                return function(*arguments, **named)
            finally:
                self._add(
                    name, time.perf_counter() - began, time.process_time() - flow, processor_seconds() - all_of_them
                )

        return call

    def _add(self, name: str, *taken: float) -> None:
        before = self.stages.get(name, Stage(0, 0, 0, 0))
        own = resource.getrusage(resource.RUSAGE_SELF)
        *times, _ = asdict(before).values()
        seconds, flow, processor = (a + b for a, b in zip(times, taken, strict=True))
        self.stages[name] = Stage(seconds, flow, processor, own.ru_maxrss / 1024)
        self.path.write_text(json.dumps({name: asdict(stage) for name, stage in self.stages.items()}))


def stand_in(folder: Path, failing: Collection[str]) -> Callable[..., Any]:
    """A trainer that gives the prepared result of the variant, with a score that depends on the trial."""

    @cache
    def results() -> Any:
        return pickle.loads((folder / RESULTS).read_bytes())  # noqa: S301  # the benchmark wrote it

    def train_stack(trials: Sequence[Trial], *_: Any, **__: Any) -> dict[str, Any]:
        (trial,) = trials
        if trial.variant in failing:
            raise ArithmeticError(REASON)
        made = results()[trial.variant]
        share = int(hashlib.sha256(str(trial.seed).encode()).hexdigest()[:8], 16) / 2**32
        curve = tuple(replace(epoch, valid=epoch.valid - share) for epoch in made.curve)
        return {trial.key: replace(made, curve=curve, best=curve[made.best.epoch])}

    return train_stack


def count_requests(path: Path) -> None:
    """Let every process write a line for each request to S3: the operation, the status and the key."""
    from aiobotocore.client import AioBaseClient  # type: ignore[import-untyped]
    from botocore.exceptions import ClientError

    call = AioBaseClient._make_api_call

    async def counted(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        status = 0
        try:
            answer = await call(client, operation, arguments)
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            return answer
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise
        finally:
            key = arguments.get("Key", arguments.get("Prefix", "-"))
            with path.open("a") as file:  # opened each time: the workers are forks, which keep no file of the command's
                file.write(f"{operation} {status} {key}\n")

    AioBaseClient._make_api_call = counted


def take_part() -> None:
    """Let this process, the command's or a worker's, count its requests, and stand in for the trainer."""
    import tasks.trials.train

    folder, failing = os.environ[ASKED].split(":")
    count_requests(Path(folder) / REQUESTS)
    training: Any = tasks.trials.train
    training.train_stack = stand_in(Path(folder), failing.split(","))


def main() -> None:
    folder, os.environ[ASKED] = Path(sys.argv[1]), ":".join(sys.argv[1:3])
    del sys.argv[1:3]
    import flows.reproduce
    import tasks.search.foresight

    take_part()
    watch = Watch(folder / STAGES)
    foresight: Any = tasks.search.foresight
    foresight.work_is_left = watch.watched(foresight.work_is_left, "look")
    flow: Any = flows.reproduce
    for name, stages in {
        "ingest_named": ["corpora"],
        "Search": ["plan"],
        "TrialTimes": ["plan"],
        "Standing": ["plan", "report"],
        "planned": ["plan"],
        "run_all": ["trials"],
        "make_report": ["report"],
    }.items():
        setattr(flow, name, watch.watched(getattr(flow, name), *stages))
    from flows.cli import main as command

    command()


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":  # a worker that is no fork, as on S3, whose client has threads
    take_part()
