"""A check of shapes while code runs: a tensor called `states_STBH` has four axes, and S is one number in its function.

The names of tensors say their axes (docs/architecture.md, "Shape letters"), so that no annotation has to repeat them.
Inside `shapes_checked` every function of `models` is looked at as it returns: each of its variables whose name ends in
such letters has as many axes, a letter has one size among all of them, and a digit is the size itself.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from torch import Tensor

MODELS = str(Path(__file__).parents[2] / "models")


def axes(name: str) -> str | None:
    """The letters that a name ends in, None where it has none or is a constant.

    >>> axes("d_states_STBH"), axes("W_SHH"), axes("rates_S1"), axes("MOST_NOTES"), axes("states")
    ('STBH', 'SHH', 'S1', None, None)
    """
    if name.isupper() and len(name.lstrip("_").split("_")[0]) > 1:
        return None
    found = re.search(r"_([A-Z][A-Z0-9]*)$", name)
    return found[1] if found else None


def mistakes(variables: Mapping[str, Any]) -> list[str]:
    """What is wrong with the tensors among the variables of one function.

    >>> import torch
    >>> mistakes({"a_ST": torch.zeros(2, 3), "b_TH": torch.zeros(3, 4), "c_S1": torch.zeros(2, 1)})
    []
    >>> mistakes({"a_ST": torch.zeros(2, 3), "b_TH": torch.zeros(5, 4), "c_S": torch.zeros(2, 1)})
    ['b_TH has 5 of T where a_ST has 3', 'c_S has the shape (2, 1)']
    """
    told: list[str] = []
    sizes: dict[str, tuple[int, str]] = {}
    for name, value in variables.items():
        letters = axes(name)
        if letters is None or not isinstance(value, Tensor):
            continue
        if len(letters) != value.dim():
            told.append(f"{name} has the shape {tuple(value.shape)}")
            continue
        for letter, size in zip(letters, value.shape, strict=True):
            if letter.isdigit():
                if size != int(letter):
                    told.append(f"{name} has the shape {tuple(value.shape)}")
            elif letter in sizes and sizes[letter][0] != size:
                known, other = sizes[letter]
                told.append(f"{name} has {size} of {letter} where {other} has {known}")
            else:
                sizes.setdefault(letter, (int(size), name))
    return told


@contextmanager
def shapes_checked() -> Iterator[dict[str, list[str]]]:
    """Collect what is wrong, by file and function, in every function of `models` that returns inside the block."""
    found: dict[str, list[str]] = {}

    def look(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "return" or not code.co_filename.startswith(MODELS):
            return
        place = f"{Path(code.co_filename).relative_to(MODELS)}:{code.co_qualname}"
        if place not in found and (told := mistakes(frame.f_locals)):
            found[place] = told

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)
