"""The variants of each corpus: those that are named, each beside plain SGD of its own core and output model."""

from collections.abc import Iterable
from dataclasses import replace

from models.data_kinds import Kind
from models.techniques import Placebo
from models.variants import BY_OUTPUT, Variant


def output_for(kind: Kind) -> str:
    """Output model of a kind of data where none is named: Bernoulli notes, a Gaussian sum, a softmax over symbols."""
    return {"music": "bernoulli", "adding": "gaussian"}.get(kind, "softmax")


def variants_of(
    kind: Kind, named: Iterable[tuple[Variant, bool]], *, placebo: bool = False
) -> tuple[tuple[str, ...], str]:
    """The variants of a kind of data, plain SGD first and that with the placebo last, where it is wanted.

    Args:
        kind: of data.
        named: each variant, and whether its output model is still to be set.
        placebo: whether it is wanted.

    Returns:
        Their names, none where none that is named goes with the data; and then why not.
    """
    plain = Variant(output=output_for(kind))
    complete = [_with_output(each, plain.output) if short else each for each, short in named]
    fitting = [each for each in complete if isinstance(each, Variant) and _fits(each.output, kind)]
    if not fitting:
        reasons = [each for each in complete if isinstance(each, str)]
        return (), reasons[0] if reasons else "wants " + " or ".join(each for each in BY_OUTPUT if _fits(each, kind))
    # Each is compared with plain SGD of its own core and output model.
    beside = [each for one in fitting for each in (Variant(one.core, one.output), one)]
    last = [replace(plain, letters=Placebo.letter)] if placebo else []
    return tuple(dict.fromkeys(map(str, (plain, *beside, *last)))), ""


def _fits(output: str, kind: Kind) -> bool:
    """Whether an output model is for that kind of data."""
    asked, own = BY_OUTPUT[output], BY_OUTPUT[output_for(kind)]
    return (asked.symbols, asked.answers) == (own.symbols, own.answers)


def _with_output(variant: Variant, output: str) -> Variant | str:
    """The variant with an output model, or why it does not go with it: it is not for such a corpus then."""
    try:
        return replace(variant, output=output)
    except ValueError as error:
        return str(error)
