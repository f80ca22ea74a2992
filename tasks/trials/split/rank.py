"""The program of the other ranks: `python -m tasks.trials.split.rank FOLDER NUMBER`.

It takes every step of the training that rank 0 takes, and keeps nothing: results and checkpoints are rank 0's, in the
worker. It ends with the worker, whose end closes its standard input.
"""

import os
import sys
import threading
from pathlib import Path

import torch

from models.training.run import Run
from tasks.trials.data import data_of
from tasks.trials.split.handed import Handed


def main() -> None:
    """Train along, as told in a folder."""
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    handed = Handed.read(folder).of_rank(number)
    torch.set_num_threads(handed.threads)
    data = data_of(handed.store, handed.trial.corpus)
    pieces, width = data.pieces, data.corpus.width
    handed.ready(number).touch()
    run = Run(
        [handed.trial],
        pieces["train"],
        pieces["valid"],
        width,
        [handed.checkpoint],
        handed.device,
        diagnosing=False,
        ranks=handed.meet(number),
    )
    while run.advance():
        pass


def _end_with_the_worker() -> None:
    os.read(0, 1)  # nothing comes but its end
    os._exit(0)


if __name__ == "__main__":
    main()
