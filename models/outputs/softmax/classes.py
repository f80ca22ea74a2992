"""The class-factorised softmax: P(w) = P(class of w) P(w | class of w), two softmaxes of the same state.

Section 4.2 of arXiv:1212.0901, from Mikolov et al., "Extensions of recurrent neural network language model" (ICASSP
2011), section 3. Classes are made by frequency (`word_classes.py`), each with about the same number of tokens. So a
step needs only the logits of the classes and those of the symbols in one class, K + D / K on average over the tokens
instead of D. The probabilities sum to 1 over the vocabulary, so its perplexity is comparable with that of the full
softmax.

The columns of the weights are the symbols by falling frequency, so that a class is a block of columns. The column of
each symbol follows from the frequencies of train; it is a constant, not a parameter.

Initialisation: weights normal with standard deviation 1/sqrt(H), biases the log-frequencies of classes and symbols.

Shape letters: S stacked trials, T time, B batch, N states of all steps in a row, D symbols, H hidden, K classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.outputs.base import Output, Settings
from models.outputs.softmax.cross_entropy import check_symbols, symbol_log_likelihood
from models.outputs.softmax.segments import Segments
from models.outputs.softmax.softmax import draw
from models.outputs.softmax.word_classes import assign_classes


@dataclass(frozen=True)
class ClassSettings(Settings):
    """The number of classes; the paper has 30."""

    classes: int = 30

    def __post_init__(self) -> None:
        if not isinstance(self.classes, int) or self.classes < 1:
            raise ValueError(f"classes: wants an integer from 1, got {self.classes!r}")


@dataclass(frozen=True)
class ClassSoftmax(Output):
    """One of `width` symbols, given the state, factorised by its class.

    Raises:
        ValueError: there are more classes than symbols.
    """

    name: ClassVar[str] = "classes"
    symbols: ClassVar[bool] = True
    settings_type: ClassVar[type[Settings]] = ClassSettings
    settings: ClassSettings = ClassSettings()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.classes > self.width:
            raise ValueError(
                f"classes: wants at most one a symbol, of which there are {self.width}, got {self.classes}"
            )

    @property
    def classes(self) -> int:
        """K."""
        return self.settings.classes

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The matrices from states to classes and to symbols, each with biases."""
        H, K, D = self.hidden_size, self.classes, self.width
        return {"class_weight": (H, K), "class_bias": (K,), "output_weight": (H, D), "output_bias": (D,)}

    def constants(self, frequency_D: Tensor) -> dict[str, Tensor]:
        """Class and column of each symbol, symbol of each column, and first column of each class.

        Raises:
            ValueError: the frequencies do not sum to 1, so they are not those of symbols.
        """
        total = float(frequency_D.sum(dtype=torch.float64))
        if not 0.999 < total < 1.001:
            raise ValueError(
                f"classes: wants data with a vocabulary, of which frequencies sum to 1, not to {total:.3g}"
            )
        class_D = torch.from_numpy(assign_classes(frequency_D.double().numpy(), self.classes))
        symbol_D = frequency_D.argsort(stable=True, descending=True)
        column_D = torch.empty_like(symbol_D).scatter_(0, symbol_D, torch.arange(self.width))
        starts = torch.cat([torch.zeros(1, dtype=torch.long), class_D.bincount().cumsum(0)])
        return {"class_of": class_D, "column_of": column_D, "symbol_at": symbol_D, "class_starts": starts}

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Small random weights; biases at the log-frequencies of the classes and of the symbols."""
        for name in ("class_weight", "output_weight"):
            parameters[name].normal_(0.0, self.hidden_size**-0.5, generator=generator)
        found = self.constants(frequency_D)
        parameters["class_bias"].copy_(
            frequency_D.new_zeros(self.classes).index_add(0, found["class_of"], frequency_D).log()
        )
        parameters["output_bias"].copy_(frequency_D[found["symbol_at"]].log())

    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """log P(class) + log P(symbol | class), nats for each symbol."""
        check_symbols(data, self.width)
        states_SNH, symbols_SN = states_STBH.flatten(1, 2), data.flatten(1)
        S, N, H = states_SNH.shape
        class_SN, column_SN = (parameters[name][symbols_SN] for name in ("class_of", "column_of"))
        of_classes = symbol_log_likelihood(states_SNH, parameters["class_weight"], parameters["class_bias"], class_SN)
        # States are sorted by class: those of one class then need one matrix product with the class's block of columns.
        order_SN = class_SN.argsort(dim=1, stable=True)
        rows = (order_SN + N * torch.arange(S, device=order_SN.device).unsqueeze(1)).flatten()
        within_SN = symbol_log_likelihood(
            states_SNH.reshape(S * N, H).index_select(0, rows).view(S, N, H),
            parameters["output_weight"],
            parameters["output_bias"],
            column_SN.gather(1, order_SN),
            Segments.of_classes(class_SN, tuple(parameters["class_starts"].tolist())),
        )
        return (of_classes + torch.zeros_like(within_SN).scatter(1, order_SN, within_SN)).view(data.shape)

    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Draw a class, then a symbol of that class."""
        starts, drawn = parameters["class_starts"].tolist(), []
        for s, (states_NH, generator) in enumerate(zip(states_STBH.flatten(1, 2), generators, strict=True)):
            logits_NK = states_NH @ parameters["class_weight"][s] + parameters["class_bias"][s]
            class_N = draw(logits_NK, generator)
            column_N = torch.empty_like(class_N)
            for number in sorted(set(class_N.tolist())):
                columns = slice(starts[number], starts[number + 1])
                members_n = (class_N == number).nonzero().squeeze(1)
                weight, bias = parameters["output_weight"][s, :, columns], parameters["output_bias"][s, columns]
                column_N[members_n] = columns.start + draw(states_NH[members_n] @ weight + bias, generator)
            drawn.append(parameters["symbol_at"][column_N])
        return torch.stack(drawn).view(states_STBH.shape[:3])
