"""From a request to recipes: known corpora by name, or one recipe for a user's own files.

A user's own files become a corpus under the given name, or under a name derived from their address. The name of a known
corpus is refused for them, since campaigns on that name would then use other data than they say.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from infra.errors import ConfigurationError
from infra.settings import IngestRequest
from tasks.corpus.corpus import Corpus
from tasks.ingest.building.lost import Selection
from tasks.ingest.building.midi_files import build_midi_corpus, is_midi
from tasks.ingest.building.midi_piece import OWN, Rules
from tasks.ingest.building.plain_text import FEWEST_WORDS, TextKind, build_text_corpus
from tasks.ingest.building.recipe import BuildProgress, MapFunction, Recipe, Source
from tasks.ingest.corpora import embedded_corpora, find_recipe
from tasks.ingest.names import unknown_corpus
from tasks.ingest.sources.address import parse_source
from tasks.ingest.sources.archives import read_source
from tasks.ingest.sources.text_files import check_packed_document, is_text

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TEXT_BYTES = 64 * 2**20
_NO_TEXT = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape")
_RULES = 2
"""Version of the rules for a user's own files. Raise it with every code change that can change such a corpus."""


def requested_recipes(request: IngestRequest) -> tuple[tuple[Recipe, ...], Source]:
    """The recipes of the corpora that a request asks for, and the source to read them from.

    Raises:
        ConfigurationError: a name is unknown or not allowed, or options contradict each other.
        CorpusError: the address is malformed.
    """
    if request.form is not None:
        return (_own(request),), Source(request.source)
    for option in ("step", "drums", "fewest", "encoding", "most_lost", "by_content"):
        if getattr(request, option) not in (None, False):
            raise ConfigurationError(
                f"--{option.replace('_', '-')}: it is for your own files; give them by --midi, --words, --characters"
            )
    names = request.names or embedded_corpora()
    source = Source(request.source, request.manifest)
    if (request.source or request.manifest) and len(request.names) != 1:
        raise ConfigurationError(
            f"--from, --manifest: name the one corpus that they are for; {len(names)} are asked for"
        )
    return tuple(_known(name) for name in names), source


def _known(name: str) -> Recipe:
    recipe = find_recipe(name)
    if recipe is None:
        raise unknown_corpus(name)
    return recipe


def _own(request: IngestRequest) -> Recipe:
    if request.source is None:
        raise ConfigurationError("your own files: give their address by --midi, --words or --characters")
    if request.manifest is not None:
        raise ConfigurationError("--manifest: it is for the official MIDI sets; leave it out for your own files")
    if len(request.names) > 1:
        raise ConfigurationError(f"your own files get one name, and {len(request.names)} are given")
    name = request.names[0] if request.names else _suggested(request.source)
    if not _NAME.fullmatch(name) or name == "manifest" or find_recipe(name) is not None:
        raise ConfigurationError(
            f"corpus {name!r}: not a name for your own files; give another, of small letters, digits, '.', '_' and '-'"
        )
    if request.form == "midi":
        return _midi(name, request)
    return _text(name, "words" if request.form == "words" else "characters", request)


def _suggested(address: str) -> str:
    """A corpus name derived from an address: the last part of its path, without endings, in lower case."""
    stem = re.sub(r"(\.(zip|tar|tgz|gz|txt|mid|midi))+$", "", parse_source(address).name.lower())
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")


def _midi(name: str, request: IngestRequest) -> Recipe:
    for option in ("fewest", "encoding"):
        if getattr(request, option) is not None:
            raise ConfigurationError(f"--{option}: it is for text; leave it out for MIDI")

    rules, selection = own_rules(request), Selection(request.most_lost, request.by_content)

    def build(files: Mapping[str, bytes], progress: BuildProgress, map_function: MapFunction) -> Corpus:
        return build_midi_corpus(name, files, None, rules, progress, map_function, selection)

    settings = {"step": request.step, "drums": rules.drums, **_settings(selection)}
    return Recipe(name, "music", _RULES, _read, build, settings)


def _settings(selection: Selection) -> dict[str, bool]:
    """The part of a selection that changes the corpus. `most_lost` only decides whether a corpus is made at all."""
    return {"by_content": True} if selection.by_content else {}


def own_rules(request: IngestRequest) -> Rules:
    """The rules for a user's MIDI files. The option `--step 1/4` counts in quarter notes, `--step 60` in ticks."""
    rules = replace(OWN, drums="kept") if request.drums else OWN
    if request.step is None:
        return rules
    if "/" in request.step:
        return replace(rules, quarters=Fraction(request.step))
    return replace(rules, ticks=int(request.step))


def _text(name: str, kind: TextKind, request: IngestRequest) -> Recipe:
    for option in ("step", "drums"):
        if getattr(request, option):
            raise ConfigurationError(f"--{option}: it is for --midi; leave it out for text")
    if kind == "characters" and request.fewest is not None:
        raise ConfigurationError("--fewest: it is for --words; every character of train is a symbol")
    fewest = request.fewest or FEWEST_WORDS
    encoding = None if request.encoding is None else _encoding(request.encoding)
    selection = Selection(request.most_lost, request.by_content)

    def build(files: Mapping[str, bytes], progress: BuildProgress, map_function: MapFunction) -> Corpus:
        corpus = build_text_corpus(name, kind, files, fewest, encoding, selection)
        progress(len(files), len(files))
        return corpus

    settings = {"encoding": encoding, **({"fewest": fewest} if kind == "words" else {}), **_settings(selection)}
    return Recipe(name, kind, _RULES, _read_text, build, settings)


def _encoding(name: str) -> str:
    """Python's canonical name of a text encoding."""
    try:
        known = codecs.lookup(name).name
        if known not in _NO_TEXT:
            "a".encode(known)  # a codec of bytes, as base64, is refused here
            return known
    except (LookupError, ValueError):  # ValueError: a name with a NUL in it
        pass
    raise ConfigurationError(
        f"--encoding {name}: there is none of that name; take one of Python's, as utf-8, cp1251, shift_jis, gb18030"
    )


def _read(source: Source) -> dict[str, bytes]:
    return read_source(str(source.address), wanted=is_midi, progress=source.progress).as_inputs()


def _read_text(source: Source) -> dict[str, bytes]:
    address = str(source.address)
    check_packed_document(parse_source(address).name)
    return read_source(address, largest=_TEXT_BYTES, wanted=is_text, progress=source.progress).as_inputs()
