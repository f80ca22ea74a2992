"""Which models of the literature are which of our variants, in one table, and why each other model is none of ours.

A model is one of our variants if core, output model, optimizer and techniques are the same. Remaining differences are
in `note`, and stand at the number. Every model of `published.json` is in exactly one of the two tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_SEARCHED = "the source chose its optimizer by search"
_OTHER_STEP = "the source has another optimizer of that kind"
_PARTS = "the source pre-trains both parts"


@dataclass(frozen=True)
class Model:
    """A model of the literature that is one of ours.

    Attributes:
        variants: ours, by whole names; each output model belongs to its own kind of data.
        note: how the source differs.
        classes: whether the source factorises its softmax over words by classes.
    """

    variants: tuple[str, ...]
    note: str = ""
    classes: bool = False

    def note_on(self, kind: str, variant: str) -> str:
        """The note at the number of one of its variants on a kind of data."""
        whole = kind == "words" and self.classes != ("/classes/" in variant)
        softmax = f"the source has {'classes' if self.classes else 'a full softmax'}" if whole else ""
        own = "" if self.note == _PARTS and variant.endswith("P") else self.note
        return "; ".join(part for part in (own, softmax) if part)


def _plain(tail: str, note: str = "") -> Model:
    """A simple recurrent network of the paper's tables: classes over words."""
    return Model(tuple(f"rnn/{output}/{tail}" for output in ("bernoulli", "softmax", "classes")), note, classes=True)


def _yardstick(core: str, note: str) -> Model:
    """A modern core with an adaptive step and clipping."""
    return Model(tuple(f"{core}/{output}/Adam+C" for output in ("bernoulli", "softmax")), note)


MODELS: Mapping[str, Model] = {
    "Random": Model(("baseline/uniform",)),
    "Note 1-gram": Model(("baseline/note-probability",)),
    "Note 1-gram (IID)": Model(("baseline/one-probability",)),
    "RBM": Model(("frame/rbm/SGD",)),
    "NADE": Model(("frame/nade/SGD",)),
    "RNN": _plain("SGD"),
    "RNN (HF)": Model(("rnn/bernoulli/HF",)),
    "RNN-RBM": Model(("rnn/rbm/SGD", "rnn/rbm/SGD+P"), _PARTS),
    "RNN-NADE": Model(("rnn/nade/SGD", "rnn/nade/SGD+P"), _PARTS),
    "RNN-NADE (HF)": Model(("rnn/nade/HF",), _PARTS),
    "RNN (SGD)": _plain("SGD"),
    "RNN (SGD+C)": _plain("SGD+C"),
    "RNN (SGD+CL)": _plain("SGD+CL"),
    "RNN (SGD+CLR)": _plain("SGD+CLR"),
    "RNN (SGD+CRM)": _plain("SGD+CRM"),
    "RNN (HF), 2012b": Model(("rnn/bernoulli/HF",)),
    "RNN-NADE (SGD+CR)": Model(("rnn/nade/SGD+CR",)),
    "RNN-NADE (SGD+CRM)": Model(("rnn/nade/SGD+CRM",)),
    "RNN (SGD), Pascanu 2013": _plain("SGD"),
    "RNN (SGD+C), Pascanu 2013": _plain("SGD+C"),
    "RNN (SGD), 500 sigmoid units": _plain("SGD"),
    "RNN (SGD+C), 500 sigmoid units": _plain("SGD+C"),
    "class-based RNN, 200 hidden, 30 classes (Mikolov 2011)": Model(("rnn/classes/SGD", "rnn/softmax/SGD"), "", True),
    "RNN, Bai 2018": _yardstick("rnn", _SEARCHED),
    "GRU, Bai 2018": _yardstick("gru", _SEARCHED),
    "LSTM, Bai 2018": _yardstick("lstm", _SEARCHED),
    "tanh, 100 units, Chung 2014": _yardstick("rnn", _OTHER_STEP),
    "GRU, 46 units, Chung 2014": _yardstick("gru", _OTHER_STEP),
    "LSTM, 36 units, Chung 2014": _yardstick("lstm", _OTHER_STEP),
    "GRU, tuned, RRU 2021": _yardstick("gru", f"{_OTHER_STEP}, and dropout"),
    "LSTM, tuned, RRU 2021": _yardstick("lstm", f"{_OTHER_STEP}, and dropout"),
}

_OTHER_MODEL = "another model"
_NOT_TOLD = "how it was trained is not told"
NOT_OURS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("1-gram (add-p)", "1-gram (Gaussian)", "GMM", "Previous + Gaussian", "N-gram (add-p)"),
            *("N-gram (Gaussian)", "Note N-gram", "GMM + HMM", "Lavrenko & Pickens", "MLP", "RTRBM"),
            *("Allan & Williams", "DMM-Aug-NADE (importance-sampled)", "TCN, Bai 2018", "AWD-LSTM"),
            *("AWD-LSTM 3-layer", "Mogrifier LSTM", "Mogrifier LSTM, tuned, RRU 2021", "RRU, RRU 2021"),
            *("RNN, orthogonal, nnRNN 2019", "EURNN, nnRNN 2019", "expRNN, nnRNN 2019", "nnRNN, nnRNN 2019"),
            *("SCRNN", "sRNN", "DOT(S)-RNN", "NNLM", "HF-MRNN"),
        ),
        _OTHER_MODEL,
    ),
    **dict.fromkeys(
        (
            *("RNNLM", "GRU-RNN", "LSTM-RNN", "BPTT-RNN", "RNN, nnRNN 2019"),
            *("best plain RNN of arXiv:1212.0901 (row not named)", "RNN-NADE, best of both papers"),
        ),
        _NOT_TOLD,
    ),
    "RNN (SGD+C + vanishing-gradient regulariser), Pascanu 2013": "a technique that is none of ours",
}
"""Models that no variant of ours is, and why."""
