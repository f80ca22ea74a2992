"""A store is hashed again: what was changed behind its back is named, all of it."""

from pathlib import Path

from infra.store import Store
from tasks.verify import verify


def test_what_changed_or_is_missing_is_named_and_the_rest_is_whole(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert verify(store).commits == 0
    for prefix in ("data/a", "trials/a", "trials/b", "scores/a", "reports/a"):
        store.commit(prefix, {"one.json": b"1", "two.json": b"2"}, kind="any", provenance={})
    store.commit("ingests/a", {"record.json": b'{"corpus": "a"}'}, kind="ingest", provenance={})
    assert (verify(store).commits, verify(store).damaged) == (6, ())
    changed, gone = (next((tmp_path / prefix).glob("two*")) for prefix in ("trials/b", "scores/a"))
    changed.write_bytes(b"3")
    gone.unlink()
    found = verify(store)
    assert found.commits == 6
    first, second = found.damaged
    assert "trials/b" in first
    assert "has changed" in first
    assert "scores/a" in second
    assert "is missing" in second


def test_an_ingest_whose_corpus_was_deleted_is_named(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.commit("ingests/a", {"record.json": b'{"corpus": "b"}'}, kind="ingest", provenance={})
    (line,) = verify(store).damaged
    assert "ingests/a is of the corpus b, which is not there; run again" in line
