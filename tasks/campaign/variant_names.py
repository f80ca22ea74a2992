"""Parse names of variants as users type them.

`SGD+CL` and `lstm/nade/SGD+C` are names. Unambiguous other spellings are accepted too: `sgd+lc`, `SGD + CL`, `+CL`,
`CL`, `SGD+C+L` and `SGD+C,SGD+L`. Stored and shown names have the one spelling of `models/variants.py`.
"""

import re
from collections.abc import Collection, Iterable

from infra.errors import ConfigurationError
from models.variants import BY_CORE, BY_LETTER, BY_OPTIMIZER, BY_OUTPUT, Variant

_JOINT = re.compile(r"\s*([+/])\s*(?=[^\s,+/]+(?:[\s,/+]|$))")


def read_names(asked: Iterable[str]) -> list[tuple[Variant, bool]]:
    """The variants of the typed names, in order.

    `lstm/nade/SGD+C` is a full name. The short name `SGD+CL` means the core `rnn`, and leaves the output model to the
    corpus.

    Returns:
        Each variant, with whether its output model is still open.

    Raises:
        ConfigurationError: a name is unknown, or its parts cannot be combined.
    """
    return [_read(name) for name in split_names(" ".join(asked))]


def split_names(text: str) -> list[str]:
    """The single names in a text, separated by blanks and commas; blanks around + and / do not separate.

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
    """The optimizer and the letters of a short name; for `+CL` and `CL` the optimizer is SGD."""
    optimizer, letters = _optimizer_and_letters(name)
    if optimizer in BY_OPTIMIZER:
        return optimizer, letters
    alone = [_like(letter, BY_LETTER) for letter in optimizer]
    if set(alone) <= set(BY_LETTER):
        return "SGD", "".join(alone) + letters
    optimizers = " or ".join(BY_OPTIMIZER)
    raise ValueError(f"variant {name!r}: wants {optimizers}, +LETTERS, or all of it, like rnn/bernoulli/SGD+CL")


def _like(given: str, known: Collection[str]) -> str:
    """The known name that equals the given one up to case; the given one if there is no such name, or several."""
    alike = [name for name in known if name.lower() == given.lower()]
    return alike[0] if given not in known and len(alike) == 1 else given
