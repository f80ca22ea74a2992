"""From store to store: whole commits, byte by byte, whenever it is stopped, whatever is damaged or there already."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from uuid import uuid4

import pytest

from infra.errors import ConfigurationError, StoreError
from infra.store import MANIFEST, Store
from infra.store.manifest import canonical_json
from infra.store.memory import MemoryBackend
from tasks.ingest.names import Named, find_name, give_name
from tasks.publishing.publish import pointer_of, publish, published_reports
from tasks.search.search import Search
from tasks.search.share import Share
from tasks.upkeep.copying import FOLDERS, Copied, copy_store
from tasks.upkeep.verify import verify_store
from tests.tasks.conftest import fill, tiny_campaign
from tests.tasks.here import sample_here, score_here, train_here

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
CAMPAIGN = tiny_campaign("SGD")


def _memory() -> Store:
    return Store(f"memory://{uuid4().hex}")


def _run(store: Store, share: Share | None = None) -> None:
    """Train and score a share of a tiny campaign, as its workers do."""
    digests = fill(store)
    for name, digest in digests.items():
        give_name(store, name, Named(digest, CAMPAIGN.kinds[name], 1))
    search = Search(CAMPAIGN, digests, share)
    records = {trial.key: train_here(store, trial) for trial in search.trials({})}
    for trial in search.finals(records):
        record = train_here(store, trial)
        score_here(store, record)
        sample_here(store, record)


@pytest.fixture(scope="module")
def shares() -> tuple[Store, Store]:
    """Two stores, each with a share of one campaign, and with a report."""
    stores = (_memory(), _memory())
    for part, store in enumerate(stores, 1):
        _run(store, Share(part, 2))
        publish(store, {"index.html": f"<p>{part}</p>".encode()}, {}, now=NOON + timedelta(hours=part))
    return stores


def _copy(source: Store, target: Store, *only: str) -> dict[str, Copied]:
    return {each.folder: each for each in copy_store(source, target, only, tell=lambda line: None)}


def _contents(store: Store) -> dict[str, bytes]:
    contents = {listed.path: store._backend.read(listed.path) for listed in store.objects()}
    return {path: stored.data for path, stored in contents.items() if stored is not None}


def _commits(store: Store) -> dict[str, bytes]:
    return {path: data for path, data in _contents(store).items() if path.count("/") > 1}


def test_shares_of_two_stores_are_the_campaign_of_one(shares: tuple[Store, Store], tmp_path: Path):
    target = Store(str(tmp_path / "target"))
    first, second = (_copy(store, target) for store in shares)
    assert [each.folder for each in copy_store(shares[0], target, (), tell=print)] == list(FOLDERS)
    assert all(each.copied == 0 and each.passed_over == () for each in _copy(shares[1], target).values())
    assert (first["data"].copied, second["data"].copied, second["data"].there) == (2, 0, 2)
    assert _commits(target) == _commits(shares[1]) | _commits(shares[0]), "byte by byte, manifests too"
    whole = _memory()
    _run(whole)
    for folder in ("trials", "scores", "samples"):
        assert target.prefixes(folder) == whole.prefixes(folder)
    assert verify_store(target).damaged == ()
    assert published_reports(target, pytest.fail)[-1].latest


def test_a_newer_report_moves_the_pointers_and_an_older_one_does_not(shares: tuple[Store, Store]):
    for order in (shares, tuple(reversed(shares))):
        target = _memory()
        for store in order:
            _copy(store, target, "reports")
        newest, _ = target.read_pointer(pointer_of(None))
        assert newest == shares[1].read_pointer(pointer_of(None))[0]


def test_only_what_is_asked_is_copied(shares: tuple[Store, Store]):
    target = _memory()
    assert list(_copy(shares[0], target, "scores", "trials")) == ["trials", "scores"]
    assert {path.partition("/")[0] for path in _contents(target)} == {"trials", "scores"}


def test_stopped_before_any_write_it_goes_on_to_the_same(shares: tuple[Store, Store], monkeypatch):
    only = ("corpora", "trials", "reports")
    create, writes = MemoryBackend.create, itertools.count()
    stop = inf

    def stopping(self: MemoryBackend, path: str, data: bytes) -> bool:
        if next(writes) >= stop:
            raise StoreError("the power failed")
        return create(self, path, data)

    monkeypatch.setattr(MemoryBackend, "create", stopping)
    whole = _memory()
    _copy(shares[0], whole, *only)
    wanted, total = _commits(whole), next(writes)
    assert total > len(wanted)
    for at in range(total):
        target, writes, stop = _memory(), itertools.count(), at
        with pytest.raises(StoreError, match="power"):
            _copy(shares[0], target, *only)
        for path in _contents(target):
            assert not path.endswith(f"/{MANIFEST}") or target.verify(path.removesuffix(f"/{MANIFEST}"))
        stop = inf
        _copy(shares[0], target, *only)
        assert _commits(target) == wanted
        assert target.read_pointer(pointer_of(None))[0] == whole.read_pointer(pointer_of(None))[0]


def test_two_copies_at_once_end_with_one_store(shares: tuple[Store, Store], tmp_path: Path):
    target = str(tmp_path / "target")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda store: _copy(store, Store(target)), shares * 2))
    found, both = _commits(Store(target)), _commits(shares[0]) | _commits(shares[1])
    assert found.keys() == both.keys()
    assert verify_store(Store(target)).damaged == ()


def test_what_is_here_already_is_never_touched(shares: tuple[Store, Store]):
    """The same trial, trained on another machine, took other seconds."""
    target, prefix = _memory(), shares[0].prefixes("trials")[0]
    manifest = target.commit(prefix, {"record.json": b"{}"}, kind="trial", provenance={})
    assert _copy(shares[0], target, "trials")["trials"].there == 1
    assert target.manifest(prefix) == manifest


def _spoiled(shares: tuple[Store, Store]) -> tuple[Store, str]:
    """A copy of a store to spoil, and a trial in it."""
    store = _memory()
    _copy(shares[0], store)
    return store, store.prefixes("trials")[0]


def test_what_is_damaged_is_named_and_the_rest_is_copied(shares: tuple[Store, Store]):
    source, prefix = _spoiled(shares)
    (weights,) = [item.path for item in source.manifest(prefix).objects if item.name.startswith("weights")]
    source._backend.delete(f"{prefix}/{weights}")
    target = _memory()
    trials = _copy(source, target)["trials"]
    (line,) = trials.passed_over
    assert f"{prefix}/{weights} is missing" in line
    assert trials.copied == len(source.prefixes("trials")) - 1
    assert not [path for path in _contents(target) if path.startswith(prefix)], "nothing of it is written"


@pytest.mark.parametrize(("old", "new", "said"), [('"format":2', '"format":9', "another version"), ("{", "[", "not a")])
def test_a_manifest_of_another_version_is_one_line(old: str, new: str, said: str, shares: tuple[Store, Store]):
    source, prefix = _spoiled(shares)
    path = f"{prefix}/{MANIFEST}"
    changed = source._backend.read(path).data.decode().replace(old, new, 1).encode()
    source._backend.delete(path)
    source._backend.create(path, changed)
    target = _memory()
    (line,) = _copy(source, target, "trials")["trials"].passed_over
    assert said in line
    assert prefix in line
    assert not [path for path in _contents(target) if path.startswith(prefix)]


def test_a_name_that_stands_for_another_corpus_here_stays(shares: tuple[Store, Store]):
    target = _memory()
    give_name(target, "bach-chorales", Named("f" * 64, "music", 1))
    corpora = _copy(shares[0], target, "corpora")["corpora"]
    (line,) = corpora.passed_over
    assert "bach-chorales is that of corpus ffffffffffff here" in line
    assert find_name(shares[0], "bach-chorales").digest[:12] in line
    assert (corpora.copied, find_name(target, "bach-chorales").digest) == (1, "f" * 64)


def test_folders_of_people_are_not_copied(shares: tuple[Store, Store], tmp_path: Path):
    source = Store(str(tmp_path / "source"))
    _copy(shares[0], source, "trials")
    (tmp_path / "source" / "trials" / "mybackup").mkdir()
    (tmp_path / "source" / "trials" / "mybackup" / MANIFEST).write_bytes(canonical_json({}))
    (tmp_path / "source" / "reports" / "notes").mkdir(parents=True)
    (tmp_path / "source" / "reports" / "notes" / MANIFEST).write_bytes(json.dumps({}).encode())
    copied = _copy(source, _memory())
    assert (copied["trials"].passed_over, copied["reports"].passed_over) == ((), ())


def test_one_store_and_a_folder_that_there_is_not_are_one_line(shares: tuple[Store, Store]):
    with pytest.raises(ConfigurationError, match="are one store"):
        _copy(shares[0], Store(shares[0].address))
    with pytest.raises(ConfigurationError, match="'trails': there is none; take some of data, ingests"):
        _copy(shares[0], _memory(), "trails")
