"""Members that other people's packages bring, by entry points: `counterpoint.techniques` and its like.

A package declares, in its pyproject.toml,

    [project.entry-points."counterpoint.techniques"]
    noise = "my_package.noise:GradientNoise"

and where it is installed, its technique is one like the others. docs/extending.md has the groups.
"""

from importlib.metadata import entry_points
from typing import Any


def strangers(kind: str, base: type[Any]) -> tuple[Any, ...]:
    """What the installed packages bring of a kind, in the order of their names.

    Args:
        kind: last part of the group's name.
        base: what each has to be a subclass of, or where it is no class an instance.

    Raises:
        ImportError: one cannot be loaded, or is something else; it names the entry point.
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
