"""The variants of each corpus: the named ones, and for each the plain SGD with the same core and output model."""

from collections.abc import Iterable
from dataclasses import replace

from models.data_kinds import Kind
from models.techniques import Placebo
from models.variants import BY_OUTPUT, Variant


def output_for(kind: Kind) -> str:
    """The default output model of a kind of data: Bernoulli notes, a Gaussian answer, or a softmax over symbols."""
    return {"music": "bernoulli", "adding": "gaussian"}.get(kind, "softmax")


def variants_of(
    kind: Kind, named: Iterable[tuple[Variant, bool]], *, placebo: bool = False
) -> tuple[tuple[str, ...], str]:
    """The variants for a kind of data: plain SGD first, the named ones, and last SGD with the placebo if it is wanted.

    Args:
        kind: of data.
        named: each variant, with whether its output model is still open.
        placebo: whether to add SGD with the placebo.

    Returns:
        The names of the variants, and "". If no named variant fits the data: no names, and the reason.
    """
    plain = Variant(output=output_for(kind))
    complete = [_with_output(each, plain.output) if short else each for each, short in named]
    fitting = [each for each in complete if isinstance(each, Variant) and _fits(each.output, kind)]
    if not fitting:
        reasons = [each for each in complete if isinstance(each, str)]
        return (), reasons[0] if reasons else "wants " + " or ".join(each for each in BY_OUTPUT if _fits(each, kind))
    # Each variant is compared with plain SGD on the same core and output model.
    beside = [each for one in fitting for each in (Variant(one.core, one.output), one)]
    last = [replace(plain, letters=Placebo.letter)] if placebo else []
    return tuple(dict.fromkeys(map(str, (plain, *beside, *last)))), ""


def _fits(output: str, kind: Kind) -> bool:
    """Whether an output model fits a kind of data."""
    asked, own = BY_OUTPUT[output], BY_OUTPUT[output_for(kind)]
    return (asked.symbols, asked.predicts_last_value) == (own.symbols, own.predicts_last_value)


def _with_output(variant: Variant, output: str) -> Variant | str:
    """The variant with that output model; or, if they cannot be combined, the reason."""
    try:
        return replace(variant, output=output)
    except ValueError as error:
        return str(error)
