"""Short training runs of every variant, whose losses a change must not move.

Who changes the numbers on purpose raises NUMERICS_VERSION in `models/trial.py`, so that stored trials are trained
anew, and writes the losses again:

    python -m tests.models.golden.runs
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from models.core import use_kernel
from models.data.chunks import Pieces
from models.outputs import ClassSettings, Settings
from models.outputs.rbm.rbm import RBMSettings
from models.techniques import Clipping, Leaky, Nesterov, Pretraining, Rectifier
from models.training.run import train
from models.trial import NUMERICS_VERSION, Trial
from models.variants import BY_CORE, BY_OUTPUT, Variant, all_subsets

FILE = Path(__file__).with_name("losses.json")
COMMAND = "python -m tests.models.golden.runs"
WIDTH, LENGTHS = 12, (11, 6, 8)
TECHNIQUES = {
    "C": Clipping(4.0),
    "L": Leaky(0.5, "update-rate"),
    "R": Rectifier(0.02),
    "M": Nesterov(0.9),
    "P": Pretraining(2, 2),
}
VARIANTS = (
    *(str(Variant("rnn", "bernoulli", "SGD", letters)) for letters in all_subsets("CLRM")),
    *(str(Variant("rnn", "softmax", "SGD", letters)) for letters in ("", "C", "CL", "CLR")),
    *(
        str(Variant(core, output, "SGD", letters))
        for core in ("lstm", "gru")
        for output in ("bernoulli", "softmax")
        for letters in ("", "CM")
    ),
    *(str(Variant(output=output, optimizer="Adam", letters="C")) for output in ("bernoulli", "softmax")),
    *(str(Variant(output="rbm", letters=letters)) for letters in ("", "CLRM")),
    *(str(Variant(output="classes", letters=letters)) for letters in ("", "CL")),
    *(str(Variant(output="nade", letters=letters)) for letters in ("", "C", "CL", "CLRM")),
    *(str(Variant(core, "nade", letters="CM")) for core in ("lstm", "gru")),
    *(str(Variant(output=output, optimizer="HF", letters="L")) for output in ("bernoulli", "nade")),
    *(str(Variant("frame", output, letters="C")) for output in ("bernoulli", "softmax", "nade", "rbm")),
    *(str(Variant(output=output, letters="CP")) for output in ("nade", "rbm")),
    str(Variant("lstm", "nade", letters="P")),
)
SETTINGS = {"rbm": RBMSettings(units=9, cd_steps=3), "classes": ClassSettings(3)}
"""Of output models that have any: small ones."""


def _pieces(output: str, shift: int) -> Pieces:
    """Made by arithmetic, so that no random stream has to stay what it is."""
    arrays = []
    for number, length in enumerate(LENGTHS):
        t = np.arange(length) + number * shift
        if not BY_OUTPUT[output].symbols:
            note = np.arange(WIDTH)
            arrays.append(((t[:, None] * (note + 2) + note**2 + shift) % 7 < 2).astype(np.uint8))
        else:
            arrays.append(((t**2 + t // 2 + shift) % WIDTH).astype(np.int32))
    return Pieces.from_arrays(arrays)


def losses(variant: str) -> list[list[float]]:
    """Per epoch: training and validation log-likelihood and the gradient's norm, those that are known.

    Six updates, or two by Hessian-free.
    """
    named = Variant.parse(variant)
    remembers = BY_CORE[named.core].remembers
    trial = Trial(
        corpus="golden",
        core=named.core,
        output=named.output,
        output_settings=SETTINGS.get(named.output, Settings()),
        optimizer=named.optimizer,
        techniques=tuple(TECHNIQUES[letter] for letter in named.letters),
        hidden_size=10 if remembers else 1,
        initial_state="learned" if remembers else "zero",
        learning_rate=1.0 if named.optimizer == "HF" else 0.02,
        chunk=6,
        batch=2,
        epochs=2,
        output_dropout=0.1 if remembers and named.optimizer != "HF" else 0.0,
        seed=7,
    )
    result = train(trial, _pieces(named.output, 1), _pieces(named.output, 5), WIDTH)
    rows = [(row.train, row.valid, row.gradient_norm) for row in result.curve]
    return [[value for value in row if value == value] for row in rows]


def main() -> None:
    """Write the losses of today's code, of this version those that are not there: the others stay as they were."""
    before = json.loads(FILE.read_text())
    kept = before["losses"] if before["numerics_version"] == NUMERICS_VERSION else {}
    with use_kernel("reference"):  # the kernel that is everywhere
        written = {variant: kept.get(variant) or losses(variant) for variant in VARIANTS}
    golden: dict[str, Any] = {"numerics_version": NUMERICS_VERSION, "losses": written}
    FILE.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
