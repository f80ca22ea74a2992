"""Whether a campaign needs workers. This is asked before its flow run begins, so that workers start with the server.

A record that cannot be read counts as missing. The flow reports it later.
"""

from infra.store import Store
from tasks.campaign import Campaign
from tasks.ingest import find_name
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger


def work_is_left(store: Store, campaign: Campaign) -> bool:
    """Whether a corpus is not in the store by its name, or a trial of the campaign lacks its record, score or sample.

    The answer may be wrong if the files of a corpus have changed since. The flow notices, and starts its workers then.
    """
    named = {name: find_name(store, name) for name in campaign.variants}
    digests = {name: stored.digest for name, stored in named.items() if stored is not None}
    if len(digests) < len(named):
        return True
    ledger, search = Ledger(store, tell=lambda line: None), Search(campaign, digests)
    # One trial of each bracket first: where the campaign is new, no other need be asked for.
    last = [bracket.by_rung[0][-1] for bracket in search.brackets]
    return bool(ledger.unfinished(last, scored=False)) or not Standing(ledger, search).whole
