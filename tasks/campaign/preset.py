"""A preset: a campaign file, read and checked, before a request changes it.

    title = "..."                  one line
    studies, trials, rungs, seeds  numbers; also seed, if it is not 0
    corpora = ["..."]
    [music]                        the trials of all music: variants = ["SGD", "SGD+C", "rnn/nade/SGD"], and a range for
    hidden_size = 100              each hyper-parameter: a constant,
    threshold = [15, 60]           a list of values,
    l1 = {low = 1e-6, high = 1e-3, scale = "log"}     or an interval
    epochs = [1, 3, 9]             a list of epochs gives those of the rungs
    [music."rnn/bernoulli/HF"]     exceptions for one variant
    [corpus."jsb-chorales"]        exceptions for one corpus, its variants included; also [corpus."...".VARIANT]

What this does not do: check whether a corpus exists, or whether trials can be drawn (`resolve.py`).
"""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeGuard, TypeVar, get_args

from infra.errors import ConfigurationError
from models.data_kinds import Kind
from models.ranges import Range, read_range
from models.variants import Variant
from tasks.campaign.drawn import known_names
from tasks.campaign.space import listed_epochs
from tasks.campaign.variant_names import read_names

_KINDS: tuple[Kind, ...] = get_args(Kind)
_SIZES = ("studies", "trials", "rungs", "seeds")
Given = TypeVar("Given")
Read = TypeVar("Read")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Section:
    """A table of a campaign file: that of a kind of data, or of one corpus.

    Attributes:
        variants: names of variants, short or full; None if the table gives none.
        ranges: of hyper-parameters, by name.
        exceptions: ranges of single variants, by their full names.
    """

    variants: tuple[str, ...] | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)
    exceptions: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)

    @property
    def named(self) -> list[tuple[Variant, bool]]:
        """The variants, each with whether its output model is still open (a short name gives none)."""
        return read_names(self.variants or ())


@dataclass(frozen=True)
class Preset:
    """A campaign file.

    Attributes:
        name: of the campaign.
        title: its purpose, one line.
        corpora: used if a request names none.
        kinds: the table of each kind of data.
        own: the tables of single corpora, by name.
        trials: number of draws of each variant in a study.
        seeds: number of fresh seeds for each chosen configuration.
        studies: number of independent searches, each with its own draws, choice and fresh seeds.
        rungs: rungs of successive halving in each study, if epochs are a single number; one rung is random search.
        seed: of all random numbers, if a request gives none.
    """

    name: str
    title: str
    corpora: tuple[str, ...]
    kinds: Mapping[Kind, Section]
    own: Mapping[str, Section]
    trials: int
    seeds: int
    studies: int = 1
    rungs: int = 1
    seed: int = 0

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """The preset from a parsed file.

        Raises:
            ConfigurationError: a key is unknown or missing, or has an invalid value; one line.
        """
        name = written.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"campaign {name!r}: name: wants lower-case letters, digits, '.', '-' and '_', 64 at most; rename the"
                ' file, or write name = "..." in it'
            )
        reader = _Reader(f"campaign {name}")
        known = {"name", "title", "corpora", "seed", "corpus", *_SIZES, *_KINDS}
        reader.known("", written, known)
        for key in ("corpora", "trials", "seeds"):
            if key not in written:
                raise reader.error(f"{key}: missing")
        kinds: dict[Kind, Section] = {
            kind: reader.section(kind, written[kind], known_names(kind)) for kind in _KINDS if kind in written
        }
        everything = frozenset[str]().union(*map(known_names, _KINDS))
        own = {
            corpus: reader.section(f'corpus."{corpus}"', table, everything)
            for corpus, table in reader.table("corpus", written.get("corpus", {})).items()
        }
        sizes = {key: reader.count(key, written[key], 1) for key in _SIZES if key in written}
        return cls(
            name=name,
            title=reader.line("title", written.get("title", "")),
            corpora=reader.names("corpora", written["corpora"]),
            kinds=kinds,
            own=own,
            seed=reader.count("seed", written.get("seed", 0), 0),
            **sizes,
        )

    def section(self, corpus: str, kind: Kind) -> Section:
        """The section of a corpus: the table of its kind, overridden by its own table.

        Raises:
            ConfigurationError: the file has neither table.
        """
        if kind not in self.kinds and corpus not in self.own:
            raise ConfigurationError(f"campaign {self.name}: nothing is written of {kind}, for {corpus}: add [{kind}]")
        general, own = self.kinds.get(kind, Section()), self.own.get(corpus, Section())
        both = {**general.exceptions, **own.exceptions}
        return Section(
            variants=general.variants if own.variants is None else own.variants,
            ranges={**general.ranges, **own.ranges},
            exceptions={name: {**general.exceptions.get(name, {}), **own.exceptions.get(name, {})} for name in both},
        )


@dataclass(frozen=True)
class _Reader:
    """Reads and checks values of a file; an error is one line with the place in the file."""

    where: str

    def error(self, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.where}: {what}")

    def known(self, table: str, keys: Collection[str], known: Collection[str]) -> None:
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
                meant = f"; {near[0]} is" if near else f"; known are {', '.join(sorted(known))}"
                raise self.error(f"{_place(table, key)}: not known here{meant}")

    def table(self, key: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.error(f"{key}: wants a table, [{key}], got {value!r}")
        return value

    def count(self, key: str, value: Any, least: int) -> int:
        if type(value) is not int or value < least:
            raise self.error(f"{key}: wants a whole number from {least}, got {value!r}")
        return value

    def line(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or len(value.splitlines()) > 1:
            raise self.error(f"{key}: wants one line of text, got {value!r}")
        return value

    def names(self, key: str, value: Any) -> tuple[str, ...]:
        if not _texts(value) or not value:
            raise self.error(f'{key}: wants a list of names, as ["..."], got {value!r}')
        return tuple(value)

    def section(self, table: str, value: Any, known: Collection[str]) -> Section:
        rows = dict(self.table(table, value))
        variants = self.names(f"[{table}] variants", rows.pop("variants")) if "variants" in rows else None
        self.read_at(f"[{table}] variants", read_names, variants or ())
        exceptions = {}
        for name in [name for name in rows if "/" in name]:
            inner = f'{table}."{name}"'
            ((variant, _),) = self.read_at(f"[{inner}]", read_names, (name,))
            exceptions[str(variant)] = self.ranges(inner, self.table(inner, rows.pop(name)), known)
        return Section(variants, self.ranges(table, rows, known), exceptions)

    def ranges(self, table: str, rows: Mapping[str, Any], known: Collection[str]) -> dict[str, Range]:
        self.known(table, rows, known)
        ranges = {key: self.read_at(_place(table, key), read_range, value) for key, value in rows.items()}
        if "epochs" in ranges:
            self.read_at(_place(table, "epochs"), listed_epochs, ranges["epochs"])
        return ranges

    def read_at(self, where: str, read: Callable[[Given], Read], value: Given) -> Read:
        """What `read` makes of a value; its error names the place in the file."""
        try:
            return read(value)
        except (ValueError, ConfigurationError) as error:
            raise self.error(f"{where}: {error}") from error


def _place(table: str, key: str) -> str:
    return f"[{table}] {key}" if table else key


def _texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list | tuple) and all(isinstance(each, str) and each for each in value)
