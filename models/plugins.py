"""Plug-ins: techniques, output models and other members from installed packages, found by entry points.

A package declares in its pyproject.toml

    [project.entry-points."counterpoint.techniques"]
    noise = "my_package.noise:GradientNoise"

Once it is installed, its technique is used like the built-in ones. docs/extending.md lists the groups.
"""

from importlib.metadata import entry_points
from typing import Any


def load_plugins(kind: str, base: type[Any]) -> tuple[Any, ...]:
    """The plug-ins of one group, in the order of their names.

    Args:
        kind: last part of the group's name: `techniques`, `corpora`.
        base: type that each must be a subclass of, or an instance of if it is not a class.

    Raises:
        ImportError: a plug-in cannot be loaded, or has another type; the message names the entry point.
    """
    group = f"counterpoint.{kind}"
    found = []
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            member = point.load()
        except (ImportError, AttributeError) as error:
            raise ImportError(f"entry point {point.name} of {group}: cannot load {point.value}: {error}") from error
        if not (issubclass(member, base) if isinstance(member, type) else isinstance(member, base)):
            raise ImportError(f"entry point {point.name} of {group}: {point.value} is no {base.__name__}")
        found.append(member)
    return tuple(found)
