"""How many requests a campaign sends to S3: of a trial, of a fresh seed with its score and sample, of all else.

Run it anywhere, for it measures no time: `python -m benchmarks.store_requests`. A real S3 server stands behind a proxy
that counts; a smoke campaign runs twice. Prints a table and writes it to benchmarks/results/store_requests.json.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.keeping import keep
from infra.store import Store
from models.trial import Trial
from tasks.trials.checkpoints import Checkpoints
from tests.infra.s3 import BUCKET, environment, running_server
from tests.infra.s3_proxy import Asked, lossy_proxy

ROOT = Path(__file__).parents[1]
STORE = f"s3://{BUCKET}/requests"
CAMPAIGN = ("--preset", "smoke", "--corpora", "folk-tunes-words", "--trials", "8", "--seeds", "8", "--quiet")
KINDS = ("read", "not there", "written", "listed", "deleted")
"""GET that found the object; that found none; PUT; LIST; DELETE."""


def kind(asked: Asked) -> str:
    if asked.method == "GET":
        return "not there" if asked.status == 404 else "read"
    return {"PUT": "written", "LIST": "listed", "DELETE": "deleted"}[asked.method]


def run(variables: dict[str, str]) -> None:
    command = [sys.executable, "-m", "prefect", "run", "reproduce", "--store", STORE, *CAMPAIGN]
    subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def key_of(asked: Asked) -> str:
    """The trial that a request is about, empty where it is about none."""
    folder, _, rest = asked.key.removeprefix("requests/").partition("/")
    about = rest.split("/")[0].removesuffix(".json")
    return about if folder in ("trials", "scores", "samples", "checkpoints") else ""


def mean(requests: Iterable[Asked], number: int) -> dict[str, float]:
    counts = Counter(map(kind, requests))
    return {name: round(counts[name] / number, 2) for name in KINDS}


def of_a_checkpoint(requests: list[Asked]) -> dict[str, float]:
    """Of each checkpoint after the first one of a trial."""
    from models.data.chunks import Pieces
    from models.training.run import Run
    from tests.tasks.conftest import tiny_music

    pieces = Pieces.from_arrays(tiny_music().splits["train"])
    trial = Trial(
        corpus="0" * 64, output="bernoulli", hidden_size=10, learning_rate=0.01, chunk=50, batch=2, epochs=9, seed=0
    )
    training, checkpoints = Run([trial], pieces, pieces, 88), Checkpoints(Store(STORE), trial)
    for _ in range(3):
        training.advance()
        requests.clear()
        checkpoints.save(training.checkpoints()[0], 0.0)
    return mean(requests, 1)


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        proxy = stack.enter_context(lossy_proxy(stack.enter_context(running_server(Path(folder)))))
        variables = environment(proxy.endpoint)
        os.environ.update(variables)
        run(variables)
        first = list(proxy.requests)
        proxy.requests.clear()
        run(variables)
        second = list(proxy.requests)
        store = Store(STORE)
        finals = {prefix.partition("/")[2] for prefix in store.prefixes("scores")}
        searched = {prefix.partition("/")[2] for prefix in store.prefixes("trials")} - finals
        rows = {
            "a trial of the search": mean([each for each in first if key_of(each) in searched], len(searched)),
            "a fresh seed, its score and sample": mean([e for e in first if key_of(e) in finals], len(finals)),
            "all else of the campaign": mean([e for e in first if key_of(e) not in searched | finals], 1),
            "the same campaign again": mean(second, 1),
            "a checkpoint, one each half minute of a trial": of_a_checkpoint(proxy.requests),
        }
    print(f"| requests of | {' | '.join(KINDS)} | in all |\n|---|" + "---|" * (len(KINDS) + 1))
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(f'{row[each]:g}' for each in KINDS)} | {sum(row.values()):g} |")
    keep("store_requests", {"trials": len(searched), "seeds": len(finals), "rows": rows})


if __name__ == "__main__":
    main()
