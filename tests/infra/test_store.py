"""One suite that every kind of place passes through: memory, a directory, and a real S3 server."""

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.errors import ConflictError, IntegrityError, NotFoundError, StoreError
from infra.store import Manifest, Store, with_checksum
from infra.store.manifest import canonical_json
from infra.store.memory import MemoryBackend
from tests.infra import writers

WRITERS = 4  # a process each, and all of them on two cores
PREFIX = writers.PREFIX
# The store is one for all examples: each takes a prefix of its own.
properties = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
segments = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._+=-]{0,9}", fullmatch=True)
names = st.lists(segments, min_size=1, max_size=2).map("/".join).filter(lambda name: "manifest.json" not in name)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def raw(store: Store) -> tuple[Any, str]:
    """The same place without our code: fsspec's file system, and the path of the store in it."""
    return fsspec.core.url_to_fs(store.address, use_listings_cache=False)


def commit(store: Store, prefix: str = PREFIX, **files: bytes) -> Manifest:
    return store.commit(prefix, files or {"record.json": b"{}"}, kind="trial", provenance={"seed": 1})


@properties
@given(
    files=st.dictionaries(names, st.binary(max_size=100), max_size=3),
    provenance=st.dictionaries(st.text(), json_values, max_size=2),
)
def test_what_is_committed_is_read(store: Store, files: dict[str, bytes], provenance: dict[str, Any]) -> None:
    # Nobody has both a file and a folder of one name on a file system.
    files = {n: d for n, d in files.items() if not any(o.startswith(n + "/") for o in files)}
    prefix = f"trials/{secrets.token_hex(8)}"
    manifest = store.commit(prefix, files, kind="trial", provenance=provenance)
    assert store.manifest(prefix) == manifest
    assert {name: store.read(prefix, name) for name in files} == files
    assert [(o.name, o.size, o.sha256) for o in manifest.objects] == [
        (name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    ]
    store.verify(prefix)
    files_on, root = raw(store)
    assert hashlib.sha256(files_on.cat_file(f"{root}/{prefix}/manifest.json")).hexdigest() == manifest.digest


def test_a_page_is_swapped_by_whoever_read_the_present_one(store: Store) -> None:
    name = f"reports/{secrets.token_hex(8)}.html"
    absent = store.read_page(name)
    assert absent == (None, None)
    store.swap_page(name, b"one", None)
    with pytest.raises(ConflictError, match="was changed by somebody else"):
        store.swap_page(name, b"two", None)
    data, token = store.read_page(name)
    store.swap_page(name, b"two", token)
    with pytest.raises(ConflictError, match="was changed by somebody else"):
        store.swap_page(name, b"three", token)
    assert (data, store.read_page(name)[0]) == (b"one", b"two")


@pytest.mark.parametrize("path", ["index.html", "reports/x/index.html", "reports/manifest.json", "../a.html"])
def test_a_page_lies_beside_commits_and_nowhere_else(store: Store, path: str) -> None:
    with pytest.raises(StoreError):
        store.swap_page(path, b"", None)


def test_a_beacon_is_seen_by_those_who_have_the_same_store_while_it_is_up(store: Store, tmp_path: Path) -> None:
    with store.beacon() as beacon:
        assert Store(store.address).sees(beacon)
        assert not Store(f"file://{tmp_path / 'another'}").sees(beacon)
        with store.beacon() as other:
            assert other != beacon
    assert not store.sees(beacon)


def test_the_first_commit_stays(store: Store) -> None:
    first = commit(store, **{"record.json": b"first"})
    assert commit(store, **{"record.json": b"second", "more": b""}) == first
    assert store.read(PREFIX, "record.json") == b"first"


def test_nothing_is_there_before_the_first_commit(store: Store) -> None:
    assert store.manifest(PREFIX) is None
    assert not store.committed(PREFIX)
    assert store.prefixes("trials") == []
    with pytest.raises(NotFoundError, match="nothing is committed under trials/key"):
        store.read(PREFIX, "record.json")
    with pytest.raises(NotFoundError, match="nothing is committed under trials/key"):
        store.verify(PREFIX)


def test_a_commit_is_unchanged_while_its_manifest_and_the_objects_that_are_asked_for_are(store: Store) -> None:
    manifest = store.commit(PREFIX, {"a": b"one", "b": b"two"}, kind="trial", provenance={})
    digest = manifest.digest
    assert store.find_with_digest(PREFIX, "a") == (b"one", digest)
    assert store.find_with_digest("trials/absent", "a") is None
    assert store.unchanged(PREFIX, digest)
    assert store.unchanged(PREFIX, digest, "a", "b")
    assert not store.unchanged(PREFIX, digest, "absent")
    assert not store.unchanged(PREFIX, "0" * 64)
    assert not store.unchanged("trials/absent", digest)
    files, root = raw(store)
    files.pipe_file(f"{root}/{PREFIX}/{manifest.objects[0].path}", b"One")
    files.rm_file(f"{root}/{PREFIX}/{manifest.objects[1].path}")
    assert [store.unchanged(PREFIX, digest, *names) for names in ((), ("a",), ("b",))] == [True, False, False]
    files.pipe_file(f"{root}/{PREFIX}/manifest.json", manifest.to_bytes() + b" ")
    assert not store.unchanged(PREFIX, digest)


def test_a_manifest_has_the_checksum_that_a_pointer_has(store: Store) -> None:
    data = store.commit(PREFIX, {"a": b"one"}, kind="trial", provenance={"b": 1, "a": [None]}).to_bytes()
    values = json.loads(data)
    del values["checksum"]
    assert data == canonical_json(with_checksum(values))


def test_objects_without_a_manifest_are_no_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    create_all = store._backend.create_all

    def failing(files: Mapping[str, bytes]) -> list[str]:
        create_all(dict([next(iter(files.items()))]))
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(store._backend, "create_all", failing)
        with pytest.raises(ZeroDivisionError):
            store.commit(PREFIX, {"record.json": b"{}", "more": b""}, kind="trial", provenance={})
    files_on, root = raw(store)
    assert len(files_on.find(f"{root}/{PREFIX}")) == 1
    assert not store.committed(PREFIX)
    assert store.prefixes("trials") == []
    commit(store)
    store.verify(PREFIX)


def test_names_carry_the_digest_unless_plain(store: Store) -> None:
    digest = hashlib.sha256(b"{}").hexdigest()[:12]
    manifest = commit(store, **{"record.json": b"{}", "samples/a.tar.gz": b"{}", "plain": b"{}"})
    expected = [f"record-{digest}.json", f"samples/a.tar-{digest}.gz", f"plain-{digest}"]
    assert [item.path for item in manifest.objects] == expected
    report = store.commit("reports/1", {"index.html": b"x"}, kind="report", provenance={}, plain_names=True)
    assert [item.path for item in report.objects] == ["index.html"]
    files_on, root = raw(store)
    assert files_on.cat_file(f"{root}/reports/1/index.html") == b"x"


def test_plain_names_never_overwrite(store: Store) -> None:
    files_on, root = raw(store)
    files_on.makedirs(f"{root}/reports/1", exist_ok=True)
    files_on.pipe_file(f"{root}/reports/1/index.html", b"somebody's")
    with pytest.raises(ConflictError, match=r"uncommitted other bytes are at index.html; delete reports/1"):
        store.commit("reports/1", {"index.html": b"ours"}, kind="report", provenance={}, plain_names=True)
    assert files_on.cat_file(f"{root}/reports/1/index.html") == b"somebody's"
    # What a killed writer of the same bytes has left is taken over.
    same = {"index.html": b"somebody's"}
    store.commit("reports/1", same, kind="report", provenance={}, plain_names=True)
    assert store.read("reports/1", "index.html") == b"somebody's"


@pytest.mark.parametrize("damage", [b"{\x00", b"{", b"{}}", b""])
def test_changed_bytes_are_noticed(store: Store, damage: bytes) -> None:
    path = commit(store).objects[0].path
    files_on, root = raw(store)
    files_on.pipe_file(f"{root}/{PREFIX}/{path}", damage)
    with pytest.raises(IntegrityError, match="has changed; delete trials/key and run again"):
        store.read(PREFIX, "record.json")
    with pytest.raises(IntegrityError, match="has changed"):
        store.verify(PREFIX)


def test_missing_bytes_are_noticed(store: Store) -> None:
    path = commit(store).objects[0].path
    files_on, root = raw(store)
    files_on.rm_file(f"{root}/{PREFIX}/{path}")
    with pytest.raises(IntegrityError, match="is missing; delete trials/key and run again"):
        store.verify(PREFIX)


def test_a_changed_manifest_is_noticed(store: Store) -> None:
    commit(store)
    files_on, root = raw(store)
    path = f"{root}/{PREFIX}/manifest.json"
    good = files_on.cat_file(path)
    escaping = good.replace(b'"path":"', b'"path":"../')
    other = good.replace(b"trials/key", b"trials/yek")
    deep = b"[" * 100_000
    for bad in (good[:-1], b"", b"[]", b"null", b"{}", b"\xff", good + b"\n", escaping, other, deep):
        files_on.pipe_file(path, bad)
        with pytest.raises(IntegrityError, match=r"^trials/key/manifest.json: "):
            store.manifest(PREFIX)


def test_prefixes_lists_the_committed_children_only(store: Store) -> None:
    for key in ("b", "a"):
        commit(store, f"trials/{key}", **{"samples/x": b""})
    commit(store, "trials/c/inner")
    files_on, root = raw(store)
    files_on.makedirs(f"{root}/trials/d", exist_ok=True)
    files_on.pipe_file(f"{root}/trials/d/record.json", b"{}")
    assert store.prefixes("trials") == ["trials/a", "trials/b"]
    assert store.prefixes("reports") == []


@pytest.mark.parametrize(
    "bad", ["", "../x", "a//b", "/a", "a/", ".hidden", "a/.b", "a b", "ä", "a\n", "manifest.json", "a?v"]
)
def test_names_that_could_lead_elsewhere_are_refused(store: Store, bad: str) -> None:
    with pytest.raises(StoreError, match="cannot be a name here"):
        store.commit(bad, {}, kind="trial", provenance={})
    with pytest.raises(StoreError, match="cannot be a name here"):
        store.commit(PREFIX, {bad: b""}, kind="trial", provenance={})
    with pytest.raises(StoreError, match="cannot be a name here"):
        store.read_pointer(bad)
    assert not store.committed(PREFIX)


def test_a_pointer_is_swapped_only_from_what_was_read(store: Store) -> None:
    value, before = store.read_pointer("latest.json")
    assert (value, before) == (None, None)
    store.swap_pointer("latest.json", {"version": "1"}, before)
    value, first = store.read_pointer("latest.json")
    assert value == {"version": "1"}
    for stale in (None, "no such token"):
        with pytest.raises(ConflictError, match="latest.json was changed by somebody else"):
            store.swap_pointer("latest.json", {"version": "2"}, stale)
    store.swap_pointer("latest.json", {"version": "2"}, first)
    store.swap_pointer("latest.json", {"version": "1"}, store.read_pointer("latest.json")[1])
    with pytest.raises(ConflictError):  # back at the same value, and not the same pointer
        store.swap_pointer("latest.json", {"version": "3"}, first)
    assert store.read_pointer("latest.json")[0] == {"version": "1"}


def test_what_is_not_a_pointer_is_noticed(store: Store) -> None:
    files_on, root = raw(store)
    files_on.makedirs(root, exist_ok=True)
    for bad in (b"", b"{}", b"[]", b'{"value": 1}', b"[" * 100_000):
        files_on.pipe_file(f"{root}/latest.json", bad)
        with pytest.raises(IntegrityError, match=r"latest.json is not a pointer"):
            store.read_pointer("latest.json")


def test_check_writable_leaves_nothing(store: Store) -> None:
    store.check_writable()
    files_on, root = raw(store)
    left = {path.removeprefix(root).strip("/") for path in files_on.find(root)}
    assert left <= {"", ".lock"}  # SeaweedFS shows the empty folder


@pytest.mark.parametrize("method", ["create", "replace"])
def test_a_place_that_ignores_conditions_is_refused(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(self: MemoryBackend, path: str, data: bytes, token: str = "") -> bool:
        self._files.pipe_file(f"{self._root}/{path}", data)
        return True

    monkeypatch.setattr(MemoryBackend, method, overwrite)
    with pytest.raises(StoreError, match="ignores the conditions of writes"):
        Store(f"memory://{secrets.token_hex(8)}").check_writable()


@pytest.fixture
def slow_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other threads have their turn just before memory is written, where they would else seldom meet."""
    pipe_file = MemoryFileSystem.pipe_file

    def later(self: MemoryFileSystem, path: str, data: bytes) -> None:
        time.sleep(0.002)
        pipe_file(self, path, data)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", later)


@pytest.fixture(scope="module")
def processes() -> Iterator[writers.Processes]:
    started = writers.Processes()
    yield started
    started.end()


def together(processes: writers.Processes, store: Store, name: str, *arguments: tuple[str, ...]) -> list[str]:
    """Run a program of writers.py so many times at once: in threads for memory, else in processes."""
    if not store.address.startswith("memory"):
        return processes.run(name, [(store.address, *each) for each in arguments])
    outputs: list[str] = []
    start = threading.Barrier(len(arguments))

    def act(*each: str) -> None:
        start.wait()
        outputs.append(json.dumps(writers.commit(store, *each)) if name == "race" else "")
        if name == "count":
            writers.add(store, int(each[0]))
        if name == "come_and_go":
            writers.commit_and_discard(store, *each)

    threads = [threading.Thread(target=act, args=each) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outputs


@pytest.mark.usefixtures("slow_memory")
def test_of_many_writers_one_wins_and_all_get_its_manifest(store: Store, processes: writers.Processes) -> None:
    outputs = together(processes, store, "race", *[(str(writer),) for writer in range(WRITERS)])
    results = {tuple(json.loads(output)) for output in outputs}
    assert len(outputs) == WRITERS
    assert len(results) == 1
    digest, winner = results.pop()
    manifest = store.manifest(PREFIX)
    assert manifest is not None
    assert manifest.digest == digest
    store.verify(PREFIX)
    assert {o.name: store.read(PREFIX, o.name) for o in manifest.objects} == writers.files_of(winner)


@pytest.mark.usefixtures("slow_memory")
def test_no_swap_is_lost(store: Store, processes: writers.Processes) -> None:
    together(processes, store, "count", *[("5",)] * WRITERS)
    assert store.read_pointer(writers.POINTER)[0] == {"number": 5 * WRITERS}


def test_a_writer_killed_midway_leaves_no_commit(store: Store) -> None:
    if store.address.startswith("memory"):
        pytest.skip("the memory of a killed process is gone with it")
    writer = writers.start("stall", store.address)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "midway\n"
    finally:
        writer.kill()
        writer.communicate()
    files_on, root = raw(store)
    assert len(files_on.find(f"{root}/{PREFIX}")) == 1
    assert not store.committed(PREFIX)
    manifest = commit(store, **{"record.json": b"{}"})
    assert store.manifest(PREFIX) == manifest
    store.verify(PREFIX)


def test_find_tells_what_is_not_committed_from_what_is_not_in_a_commit(store: Store) -> None:
    assert store.find("trials/a", "record.json") is None
    store.commit("trials/a", {"record.json": b"{}"}, kind="trial", provenance={})
    assert store.find("trials/a", "record.json") == b"{}"
    with pytest.raises(NotFoundError, match="curves"):
        store.find("trials/a", "curves.parquet")


SCRATCH = "checkpoints/key/7"


def test_a_discarded_commit_is_gone_with_its_objects_and_may_come_again(store: Store) -> None:
    commit(store, "checkpoints/key/8", **{"record.json": b"stays"})
    for data in (b"first", b"second"):
        commit(store, SCRATCH, **{"record.json": data, "folder/weights": b"w"})
        assert store.read(SCRATCH, "record.json") == data
        store.discard(SCRATCH)
        assert not store.committed(SCRATCH)
        files_on, root = raw(store)
        left = [path for path in files_on.find(f"{root}/checkpoints") if "key/8/" not in path and path[-1] != "/"]
        assert [path for path in left if files_on.isfile(path)] == []
    store.discard(SCRATCH)
    assert store.prefixes("checkpoints/key") == ["checkpoints/key/8"]
    store.verify("checkpoints/key/8")


def test_a_damaged_commit_can_be_discarded(store: Store) -> None:
    commit(store, SCRATCH)
    files_on, root = raw(store)
    files_on.pipe_file(f"{root}/{SCRATCH}/manifest.json", b"[]")
    store.discard(SCRATCH)
    assert store.manifest(SCRATCH) is None
    path = commit(store, SCRATCH, **{"record.json": b"{}"}).objects[0].path
    files_on.rm_file(f"{root}/{SCRATCH}/{path}")
    store.discard(SCRATCH)
    assert store.manifest(SCRATCH) is None


def test_a_listing_has_all_that_is_there_committed_or_not(store: Store) -> None:
    manifest = commit(store, **{"record.json": b"{}", "samples/x.mid": b"tune"})
    store.swap_pointer("latest.json", {"version": "1"}, None)
    files_on, root = raw(store)
    files_on.makedirs(f"{root}/trials/left", exist_ok=True)
    files_on.pipe_file(f"{root}/trials/left/record", b"12345")
    sizes = {item.path: item.size for item in store.objects() if item.path != ".lock"}
    assert sizes == {
        "latest.json": len(files_on.cat_file(f"{root}/latest.json")),
        f"{PREFIX}/manifest.json": len(manifest.to_bytes()),
        **{f"{PREFIX}/{item.path}": item.size for item in manifest.objects},
        "trials/left/record": 5,
    }
    assert [item.path for item in store.objects("trials/left")] == ["trials/left/record"]
    assert store.objects("scores") == []
    assert all(abs(item.modified - time.time()) < 3600 for item in store.objects())


def test_all_below_a_folder_of_checkpoints_goes_committed_or_not(store: Store) -> None:
    commit(store, "checkpoints/other/8")
    commit(store, SCRATCH, **{"record.json": b"{}", "folder/weights": b"w"})
    files_on, root = raw(store)
    files_on.makedirs(f"{root}/checkpoints/key/9", exist_ok=True)
    files_on.pipe_file(f"{root}/checkpoints/key/9/left", b"by a killed writer")
    store.discard_all("checkpoints/key")
    assert store.objects("checkpoints/key") == []
    store.verify("checkpoints/other/8")
    store.discard_all("checkpoints/key")


@pytest.mark.parametrize("path", [PREFIX, "latest.json", "checkpoints", "checkpointsx/key", "reports/checkpoints/1"])
def test_what_is_for_good_cannot_be_discarded(store: Store, path: str) -> None:
    commit(store)
    store.swap_pointer("latest.json", {"version": "1"}, None)
    for discard in (store.discard, store.discard_pointer):
        with pytest.raises(StoreError, match=f"{path} is for good; only what is under checkpoints/"):
            discard(path)
        with pytest.raises(StoreError, match="cannot be a name here"):
            discard("checkpoints/../trials/key")
    store.verify(PREFIX)
    assert store.read_pointer("latest.json")[0] == {"version": "1"}


def test_a_discarded_pointer_is_gone_and_its_token_with_it(store: Store) -> None:
    name = "checkpoints/key.json"
    store.discard_pointer(name)
    store.swap_pointer(name, {"at": "1"}, None)
    _, token = store.read_pointer(name)
    store.discard_pointer(name)
    assert store.read_pointer(name) == (None, None)
    with pytest.raises(ConflictError):
        store.swap_pointer(name, {"at": "2"}, token)
    store.swap_pointer(name, {"at": "2"}, None)
    assert store.read_pointer(name)[0] == {"at": "2"}


def test_who_is_killed_while_discarding_leaves_no_commit(store: Store) -> None:
    if store.address.startswith("memory"):
        pytest.skip("the memory of a killed process is gone with it")
    writers.commit_scratch(store)
    writer = writers.start("stall_discarding", store.address)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "midway\n"
    finally:
        writer.kill()
        writer.communicate()
    assert store.manifest(writers.SCRATCH) is None
    files_on, root = raw(store)
    assert len([path for path in files_on.find(f"{root}/{writers.SCRATCH}") if files_on.isfile(path)]) == 2
    writers.commit_scratch(store)
    store.verify(writers.SCRATCH)
    store.discard(writers.SCRATCH)
    assert store.manifest(writers.SCRATCH) is None


@pytest.mark.usefixtures("slow_memory")
def test_many_come_and_go_at_once_and_none_is_in_the_way_of_another(store: Store, processes: writers.Processes) -> None:
    together(processes, store, "come_and_go", *[(str(writer),) for writer in range(WRITERS)])
    assert [prefix for n in range(WRITERS) for prefix in store.prefixes(f"checkpoints/{n}")] == []


def test_a_withdrawn_commit_is_gone_with_its_objects_and_nothing_else(store: Store) -> None:
    files = {"index.html": b"1", "tables/t": b"2"}
    meant = store.commit("reports/a", files, kind="report", provenance={}, plain_names=True)
    other = store.commit("reports/b", {"index.html": b"1"}, kind="report", provenance={}, plain_names=True)
    store.swap_pointer("latest.json", {"version": "a"}, None)
    assert store.withdraw(meant)
    assert not store.committed("reports/a")
    assert {item.path for item in store.objects("reports")} == {"reports/b/index.html", "reports/b/manifest.json"}
    assert store.verify("reports/b") == other
    store.withdraw_pointer("latest.json")
    store.withdraw_pointer("latest.json")
    assert store.read_pointer("latest.json") == (None, None)


def test_another_commit_than_the_one_that_was_meant_stays(store: Store) -> None:
    meant = store.commit("trials/a", {"weights": b"1"}, kind="trial", provenance={})
    assert store.withdraw(meant)
    assert not store.withdraw(meant)
    store.commit("trials/a", {"weights": b"1"}, kind="trial", provenance={})
    assert not store.withdraw(meant), "it has another nonce"
    assert store.read("trials/a", "weights") == b"1"


def test_who_commits_the_same_anew_meanwhile_keeps_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    meant = store.commit("trials/a", {"weights": b"1"}, kind="trial", provenance={})
    delete = store._backend.delete

    def meanwhile(path: str) -> None:
        delete(path)
        if path.endswith("manifest.json"):
            store.commit("trials/a", {"weights": b"1"}, kind="trial", provenance={})

    monkeypatch.setattr(store._backend, "delete", meanwhile)
    assert store.withdraw(meant)
    assert store.read("trials/a", "weights") == b"1"
