"""Whether workers will be needed is known before there are any."""

from infra.store import Store
from tasks.ingest.corpora import find_recipe
from tasks.ingest.names import Named, give_name
from tasks.search.foresight import work_is_left
from tests.tasks.conftest import Finished
from tests.tasks.publishing.test_fingerprint import _with


def _name(store: Store, digests: dict[str, str]) -> None:
    for name, digest in digests.items():
        recipe = find_recipe(name)
        assert recipe is not None
        give_name(store, name, Named(digest, recipe.kind, recipe.rules))


def test_a_corpus_without_a_name_is_to_be_parsed(store, campaign) -> None:
    assert work_is_left(store, campaign)


def test_trials_that_are_not_stored_are_to_be_trained(store, digests, campaign) -> None:
    _name(store, digests)
    assert work_is_left(store, campaign)


def test_where_all_is_stored_there_is_no_work(finished: Finished) -> None:
    store = _with(finished.store, {})
    _name(store, finished.digests)
    assert not work_is_left(store, finished.campaign)
