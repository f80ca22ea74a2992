"""Names of variants as people write them.

`SGD+CL` and `lstm/nade/SGD+C` are names. `sgd+lc`, `SGD + CL`, `+CL`, `CL`, `SGD+C+L` and `SGD+C,SGD+L` are understood
as well, for nothing else can be meant. What is stored and shown has the one spelling of `models/variants.py`.
"""

import re
from collections.abc import Collection, Iterable

from infra.errors import ConfigurationError
from models.variants import BY_CORE, BY_LETTER, BY_OPTIMIZER, BY_OUTPUT, Variant

_JOINT = re.compile(r"\s*([+/])\s*(?=[^\s,+/]+(?:[\s,/+]|$))")


def read_names(asked: Iterable[str]) -> list[tuple[Variant, bool]]:
    """The variants of what was typed, in its order.

    `lstm/nade/SGD+C` is all of a name; the short `SGD+CL` means the simple core, and each corpus its own output.

    Returns:
        Each variant, and whether its output is still to be set.

    Raises:
        ConfigurationError: a name stands for nothing, or for what does not go together.
    """
    return [_read(name) for name in split_names(" ".join(asked))]


def split_names(text: str) -> list[str]:
    """The single names in a text: blanks and commas part them, blanks around + and / do not.

    >>> split_names("SGD + C, SGD+L  lstm / nade / SGD")
    ['SGD+C', 'SGD+L', 'lstm/nade/SGD']
    """
    return re.findall(r"[^\s,]+", _JOINT.sub(r"\1", text))


def _read(name: str) -> tuple[Variant, bool]:
    *parts, last = name.split("/")
    short = not parts
    try:
        parts = [*map(_like, parts, (set(BY_CORE), set(BY_OUTPUT))), *parts[2:]]
        optimizer, letters = _short(last) if short else _optimizer_and_letters(last)
        last = f"{optimizer}+{letters}" if letters else optimizer
        return Variant.parse("/".join([*(parts or ["rnn", "bernoulli"]), last])), short
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _optimizer_and_letters(text: str) -> tuple[str, str]:
    optimizer, _, letters = text.partition("+")
    return _like(optimizer, BY_OPTIMIZER), "".join(_like(letter, BY_LETTER) for letter in letters if letter != "+")


def _short(name: str) -> tuple[str, str]:
    """`SGD+CL`; of `+CL` and `CL` the optimizer is SGD."""
    optimizer, letters = _optimizer_and_letters(name)
    if optimizer in BY_OPTIMIZER:
        return optimizer, letters
    alone = [_like(letter, BY_LETTER) for letter in optimizer]
    if set(alone) <= set(BY_LETTER):
        return "SGD", "".join(alone) + letters
    optimizers = " or ".join(BY_OPTIMIZER)
    raise ValueError(f"variant {name!r}: wants {optimizers}, +LETTERS, or all of it, like rnn/bernoulli/SGD+CL")


def _like(given: str, known: Collection[str]) -> str:
    """The known name that a given one is but for capitals; the given one where there is none, or more than one."""
    alike = [name for name in known if name.lower() == given.lower()]
    return alike[0] if given not in known and len(alike) == 1 else given
