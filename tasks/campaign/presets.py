"""The presets that come with the installation, read from their files."""

import tomllib
from importlib.resources import files

from tasks.campaign.preset import Preset

_NAMES = ("smoke", "nightly", "default", "dependencies", "thorough", "paper", "paper-text", "best")


def preset_text(name: str) -> str:
    """The text of a preset's file."""
    return (files("tasks.campaign") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


PRESETS = {name: Preset.read({"name": name, **tomllib.loads(preset_text(name))}) for name in _NAMES}
"""Every preset by name: general ones in order of size, then those for the literature's tables, then `best`."""
