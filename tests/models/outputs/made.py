"""Output models of any kind, small, with random parameters; states; data that they can be asked about."""

import torch

from models.outputs import ClassSettings, ClassSoftmax, Output, Settings
from models.parameters import Parameters

WIDTH, HIDDEN = 4, 3
SETTINGS: dict[type[Output], Settings] = {ClassSoftmax: ClassSettings(2)}
"""Where a model's own are not for so few symbols."""
FREQUENCY = torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64)


def made(output: type[Output], members: int = 1, seed: int = 0) -> tuple[Output, Parameters]:
    """A model with random parameters."""
    model = output(WIDTH, HIDDEN, SETTINGS.get(output, output.settings_type()))
    parameters = Parameters(members, model.shapes(), torch.float64)
    parameters.theta_SP.normal_(generator=torch.Generator().manual_seed(seed))
    return model, parameters


def named(model: Output, parameters: Parameters, frequency: torch.Tensor = FREQUENCY) -> dict[str, torch.Tensor]:
    """Its parameters and constants."""
    return parameters.by_name | model.constants(frequency)


def states(*shape: int) -> torch.Tensor:
    """States of that shape, and H."""
    return torch.randn(*shape, HIDDEN, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def data(model: Output, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Steps of that shape that can come."""
    random = torch.Generator().manual_seed(1)
    if model.symbols:
        return torch.randint(0, WIDTH, shape, generator=random)
    return torch.randint(0, 2, (*shape, WIDTH), generator=random).to(dtype)
