"""The presets that come with the installation: campaigns as files, from the smallest to the largest."""

import tomllib
from importlib.resources import files

from tasks.campaign.preset import Preset

_NAMES = ("smoke", "default", "dependencies", "thorough", "paper", "paper-text", "best")


def preset_text(name: str) -> str:
    """The file of a preset."""
    return (files("tasks.campaign") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


PRESETS = {name: Preset.read({"name": name, **tomllib.loads(preset_text(name))}) for name in _NAMES}
"""Every preset, by name: sizes, the smallest first, then tables of the literature, and what is best."""
