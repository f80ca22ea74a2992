"""The page of all versions of a store: for each preset and corpus the best score over the versions, newest first.

What this does not do: compare two versions (`compared/`). Two best scores may be those of different variants, and of
different data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.report.charts.bars import Scale, bar
from tasks.report.numbers.formatting import interval, number
from tasks.report.numbers.metrics import BY_NAME
from tasks.report.pages.templates import fill_template
from tasks.telling.wording import preset_title, visible


@dataclass(frozen=True)
class Best:
    """The best variant of a report on a corpus, by its first metric; NaN where there is no interval."""

    corpus: str
    digest: str
    variant: str
    metric: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Version:
    """The data of a version; one from before manifests had scores has only the line on its first corpus."""

    name: str
    created: str
    preset: str
    changes: tuple[str, ...]
    commit: str
    line: str
    bests: tuple[Best, ...]


@dataclass(frozen=True)
class _Row:
    version: Version
    best: str
    score: str
    drawing: Markup
    data: str


@dataclass(frozen=True)
class _Table:
    corpus: str
    heading: str
    higher_is_better: bool
    rows: tuple[_Row, ...]


@dataclass(frozen=True)
class _Preset:
    anchor: str
    title: str
    number_of: int
    tables: tuple[_Table, ...]
    others: tuple[Version, ...]


def render_versions(versions: Sequence[Version], most: int) -> str:
    """The page.

    Args:
        versions: the newest first.
        most: the number that was asked for; if there are as many, there may be older ones.
    """
    titles = list(dict.fromkeys(_title(version) for version in versions))
    presets = [
        _preset(f"preset-{index}", title, [version for version in versions if _title(version) == title])
        for index, title in enumerate(titles, start=1)
    ]
    newest = versions[0] if versions else None
    return fill_template("versions.html.jinja", presets=presets, newest=newest, number_of=len(versions), most=most)


def _title(version: Version) -> str:
    return visible(preset_title(version.preset, version.changes)) or "of no preset"


def _preset(anchor: str, title: str, versions: Sequence[Version]) -> _Preset:
    places = list(dict.fromkeys((best.corpus, best.metric) for version in versions for best in version.bests))
    tables = tuple(_table(*place, versions) for place in places if place[1] in BY_NAME)
    others = tuple(version for version in versions if not version.bests)
    return _Preset(anchor, title, len(versions), tables, others)


def _table(corpus: str, metric: str, versions: Sequence[Version]) -> _Table:
    found = [(v, best) for v in versions for best in v.bests if (best.corpus, best.metric) == (corpus, metric)]
    scale = Scale.over(value for _, best in found for value in (best.mean, best.low, best.high))
    newest, decimals = found[0][1].digest, BY_NAME[metric].decimals
    rows = tuple(
        _Row(
            version=version,
            best=visible(best.variant),
            score=f"{number(best.mean, decimals)} {interval(best.low, best.high, decimals)}".rstrip(),
            drawing=bar((best.mean, best.low, best.high), scale),
            data="" if best.digest == newest else f"other data, {visible(best.digest[:8])}",
        )
        for version, best in found
    )
    return _Table(visible(corpus), BY_NAME[metric].heading, BY_NAME[metric].higher_is_better, rows)
