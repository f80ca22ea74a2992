"""The schedule of `make chaos`, and how stores are compared; the rest of it runs there."""

from uuid import uuid4

from infra.store import Store
from tests.chaos.contents import changed, contents
from tests.chaos.faults import KINDS, schedule


def test_a_seed_and_a_number_name_the_same_faults_in_any_length() -> None:
    short, long = schedule(7, 3, 10), schedule(7, 3, 100)
    assert [(fault.whom, fault.how, fault.seconds) for fault in short] == [
        (fault.whom, fault.how, fault.seconds) for fault in long
    ]
    assert all(0 < fault.at <= 10 for fault in short)
    assert [fault.at for fault in short] == sorted(fault.at for fault in short)


def test_all_kinds_come_up() -> None:
    drawn = {(fault.whom, fault.how) for number in range(100) for fault in schedule(1, number, 60)}
    assert drawn == {(whom, how) for whom, hows in KINDS.items() for how in hows}


def test_a_changed_byte_is_told_and_times_are_not() -> None:
    def holding(valid: float, seconds: float, weights: bytes) -> dict[str, str]:
        store = Store(f"memory://{uuid4().hex}")
        record = f'{{"valid": {valid}, "seconds": {seconds}}}'.encode()
        store.commit("trials/a", {"record.json": record, "weights": weights}, kind="trial", provenance={})
        return contents(store)

    first = holding(-1.5, 2.0, b"w")
    assert changed(first, holding(-1.5, 3.0, b"w")) == []
    assert changed(first, holding(-1.6, 2.0, b"w")) == ["trials/a/record.json"]
    assert changed(first, holding(-1.5, 2.0, b"v")) == ["trials/a/weights"]
    assert changed(first, {}) == sorted(first)
