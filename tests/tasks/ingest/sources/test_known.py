"""Known sources: what each must say, the order in which addresses are tried, and the pins."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.errors import ConfigurationError, CorpusError
from tasks.ingest.sources.address import parse_source
from tasks.ingest.sources.known import KNOWN_SOURCES, KnownSource, fetch_known, find_source
from tests.tasks.ingest.data import data_folder
from tests.tasks.ingest.web import Site, running_site

DATA = b"songs"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_site(DATA) as running:
        yield running


def test_each_has_addresses_or_a_licence_and_its_own_name() -> None:
    names = [source.name for source in KNOWN_SOURCES]
    assert len(set(names)) == len(names)
    for source in KNOWN_SOURCES:
        assert (source.licence_line is None) == bool(source.addresses)
        assert source.sha256 is None or len(bytes.fromhex(source.sha256)) == 32
        for address in source.addresses:
            assert str(parse_source(address)) == address
        assert find_source(source.name) is source
    with pytest.raises(ConfigurationError, match="unknown source 'x': choose one of jsb-chorales-midi, "):
        find_source("x")


@pytest.mark.parametrize("name", ["musedata-midi", "musedata-rolls", "penn-treebank"])
def test_what_a_licence_forbids_is_told_with_what_to_do(name: str) -> None:
    with pytest.raises(
        CorpusError, match=rf"^{name}: .* licen.* is not fetched; .*give your own .*by --from ADDRESS"
    ) as told:
        fetch_known(find_source(name))
    assert str(told.value).isprintable()


def test_the_addresses_are_tried_in_their_order(site: Site, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    source = KnownSource("songs", (missing, site.address, missing), SHA256)
    assert fetch_known(source) == (site.address, DATA)
    with pytest.raises(
        CorpusError, match="songs: none of its 3 known addresses gives it; give your own copy by --from ADDRESS; "
    ):
        fetch_known(replace(source, sha256="0" * 64))
    with pytest.raises(CorpusError, match="No such file"):
        fetch_known(KnownSource("songs", (missing,)))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("jsb-chorales-rolls", "JSB Chorales.pickle"),
        ("nottingham-rolls", "Nottingham.mat"),
        ("piano-midi.de-rolls", "Piano_midi.mat"),
    ],
)
def test_the_pins_of_the_rolls_are_those_of_the_real_files(name: str, file: str) -> None:
    data = (data_folder() / "music-rolls" / file).read_bytes()
    assert hashlib.sha256(data).hexdigest() == find_source(name).sha256
