"""Whether a campaign has work for workers, asked before its flow run is there: they can then start beside the server.

What cannot be read counts as not there, and is told by the flow.
"""

from infra.store import Store
from tasks.campaign import Campaign
from tasks.ingest import find_name
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger


def work_is_left(store: Store, campaign: Campaign) -> bool:
    """Whether a corpus has no name in the store yet, or a trial of the campaign is not stored or owes something.

    A guess where files of a corpus have changed since: the flow finds out, and calls its workers together itself.
    """
    named = {name: find_name(store, name) for name in campaign.variants}
    digests = {name: stored.digest for name, stored in named.items() if stored is not None}
    if len(digests) < len(named):
        return True
    return not Standing(Ledger(store, tell=lambda line: None), Search(campaign, digests)).whole
