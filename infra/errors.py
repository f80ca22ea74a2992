"""The errors that a user may see. Each is one line: what is wrong, where, and the mend.

    CounterpointError
    |-- ConfigurationError    an invalid option, preset or combination of them
    |-- CorpusError           input data that cannot be read or used
    |-- StoreError            the object store
    |   |-- NotFoundError         nothing is committed under that name
    |   |-- ConflictError         somebody else's commit or pointer was first
    |   `-- IntegrityError        stored bytes are not the bytes that were committed
    |-- ClusterError          the Dask cluster cannot be reached or has no worker
    |-- ProcessError          a process of a trial that several train together was lost
    |-- CampaignError         trials of a campaign did not come to an end
    `-- OutputError           standard output could not be written

`models/` raises plain `ValueError`s, since it imports nothing from outside; the callers turn them into
`ConfigurationError`s. The command line prints the line. It exits with 2 for a `ConfigurationError`, which the user
mends by typing something else, and with 1 for every other error.
"""


class CounterpointError(Exception):
    """Base of the errors that are reported in one line, without a traceback."""


class ConfigurationError(CounterpointError):
    """An invalid option, preset or combination of them."""


class CorpusError(CounterpointError):
    """Input data that cannot be read or used."""


class StoreError(CounterpointError):
    """The object store refuses access, is out of reach, or cannot be written."""


class NotFoundError(StoreError):
    """Nothing is committed under that name."""


class ConflictError(StoreError):
    """Another writer's commit or pointer came first."""


class IntegrityError(StoreError):
    """Stored bytes are not the bytes that were committed."""


class ClusterError(CounterpointError):
    """The Dask cluster cannot be reached or has no worker."""


class ProcessError(CounterpointError):
    """A process of a trial that several processes train together did not start, or was lost."""


class CampaignError(CounterpointError):
    """Trials of a campaign did not come to an end: either all of them, or some, which the report names."""


class OutputError(CounterpointError):
    """A command's output could not be written to standard output."""
