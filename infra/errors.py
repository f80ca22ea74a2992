"""Every error that a person may see, each one line: what is wrong, where, and the mend.

    CounterpointError
    |-- ConfigurationError    an option, a preset or a combination that cannot be
    |-- CorpusError           input data that cannot be read or used
    |-- StoreError            the object store
    |   |-- NotFoundError         nothing is committed under that name
    |   |-- ConflictError         somebody else's commit or pointer was first
    |   `-- IntegrityError        stored bytes are not the bytes that were committed
    |-- ClusterError          the Dask cluster cannot be reached or has no worker
    |-- CampaignError         trials of a campaign did not come to an end
    `-- OutputError           what was printed could not be written to where standard output goes

`models/` raises plain `ValueError`s, since it knows of nothing outside itself; the edges turn them into
a `ConfigurationError`. The command line prints the one line and exits with 2 for a `ConfigurationError`,
which the user mends by typing something else, and with 1 for all the others.
"""


class CounterpointError(Exception):
    """Base of every error that is told in one line, without a traceback."""


class ConfigurationError(CounterpointError):
    """An option, a preset or a combination of them that cannot be."""


class CorpusError(CounterpointError):
    """Input data that cannot be read or used."""


class StoreError(CounterpointError):
    """The object store refused, is out of reach, or cannot be written."""


class NotFoundError(StoreError):
    """Nothing is committed under that name."""


class ConflictError(StoreError):
    """Another writer's commit or pointer came first."""


class IntegrityError(StoreError):
    """Stored bytes are not the bytes that were committed."""


class ClusterError(CounterpointError):
    """The Dask cluster cannot be reached or has no worker."""


class CampaignError(CounterpointError):
    """Trials of a campaign did not come to an end: some of them, which its report names, or all of them."""


class OutputError(CounterpointError):
    """What a command printed could not be written to where its standard output goes."""
