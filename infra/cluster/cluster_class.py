"""A cluster of a class that the user names: `dask_jobqueue.SLURMCluster`, `dask_kubernetes.operator.KubeCluster`.

`--cluster` takes the name of the class, whose arguments are then those of Dask's own configuration, or a file in TOML
with the words of prefect-dask:

    cluster_class = "dask_jobqueue.SLURMCluster"

    [cluster_kwargs]          # arguments of the class
    cores = 1
    memory = "8GB"
    walltime = "01:00:00"

    [adapt_kwargs]            # arguments of its method `adapt`: the cluster grows and shrinks with the work
    minimum = 1
    maximum = 20

Any class that can be imported is taken, if it has the interface of Dask's clusters (`INTERFACE`). To name a class is to
run its code: the name comes from the command line, or from a parameter of a deployment, whose owner decides anyway what
runs there. The file is read where the flow runs; its contents are in no parameter, log or report, and an error's text
shows no value of it, since an argument may be a secret.

What this does not do: wait for workers (`waiting.py`), or say what one costs.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from infra.errors import ClusterError, ConfigurationError
from infra.machine.redaction import redacted
from infra.toml_file import read_toml

INTERFACE = ("__enter__", "__exit__", "scale", "adapt", "close")
"""What a class must have; its objects must also have `scheduler_address`, as Dask's client wants it."""

_TABLES = {"cluster_class": str, "cluster_kwargs": dict, "adapt_kwargs": dict}
_COUNTS = ("maximum", "maximum_jobs")
_PACKAGES = ("dask-jobqueue", "dask-kubernetes", "dask-cuda", "dask-cloudprovider", "dask-gateway", "coiled")
_LEAST_HIDDEN = 4  # characters of a text that an error's message does not show; shorter ones are no secrets
_log = logging.getLogger("prefect.counterpoint.cluster")


@dataclass(frozen=True)
class ClusterClass:
    """A class of clusters with its arguments.

    Attributes:
        asked: what the user named, a class or a file; errors begin with it.
        name: dotted path of the class.
        arguments: of the class.
        adapt: arguments of its method `adapt`; None if the size of the cluster is fixed.
    """

    asked: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    adapt: Mapping[str, Any] | None = field(default=None, repr=False)

    def planned(self, workers: int | None) -> int | None:
        """The largest number of workers that is asked for; None if only Dask's own configuration says it."""
        counts = [workers] if self.adapt is None else [self.adapt.get(name) for name in _COUNTS]
        counts.append(self.arguments.get("n_workers"))
        return next((count for count in counts if isinstance(count, int) and count > 0), None)

    def resolve(self) -> Any:
        """Import the class.

        Raises:
            ConfigurationError: it is not there, or is no class of clusters.
        """
        module, _, name = self.name.rpartition(".")
        try:
            found = getattr(import_module(module), name, None)
        except ModuleNotFoundError as error:
            missing = error.name or module
            package = missing.partition(".")[0].replace("_", "-")
            mend = f"`pip install {package}`" if package in _PACKAGES else "check the name, or install its package"
            raise ConfigurationError(f"--cluster {self.asked}: no module {missing}; {mend}") from error
        except Exception as error:  # the boundary: a package of somebody else's, which may do anything as it is loaded
            reason = self._reason(error)
            raise ConfigurationError(f"--cluster {self.asked}: {module} cannot be imported: {reason}") from error
        if not isinstance(found, type):
            raise ConfigurationError(f"--cluster {self.asked}: {module} has no class {name}")
        if lacking := [each for each in INTERFACE if not hasattr(found, each)]:
            raise ConfigurationError(
                f"--cluster {self.asked}: {self.name} is no class of Dask clusters: it has no {lacking[0]}"
            )
        return found

    def start(self, workers: int | None, otherwise: Mapping[str, Any]) -> Any:
        """Make the cluster, and give it its size.

        Args:
            workers: to scale it to; None for the number that its arguments give, or its adaptive size.
            otherwise: arguments that are taken where the user gives no other ones.

        Raises:
            ConfigurationError: the class does not take these arguments, or no worker is asked for.
            ClusterError: the cluster cannot be made.
        """
        made = self._made(self.resolve(), otherwise)
        try:
            if self.adapt is not None:
                made.adapt(**self.adapt)
            elif workers is not None:
                made.scale(workers)
            elif getattr(made, "worker_spec", None) == {}:  # of the classes that start processes or jobs themselves
                raise ConfigurationError(
                    f"--cluster {self.asked}: it starts no worker; give --workers, or a file with adapt_kwargs"
                )
        except ConfigurationError:
            close(made, self.name)
            raise
        except TypeError as error:
            close(made, self.name)
            raise self._wrong_arguments("adapt_kwargs", error) from None
        except Exception as error:  # the boundary: a class of somebody else's
            close(made, self.name)
            raise ClusterError(f"--cluster {self.asked}: cannot be given its size: {self._reason(error)}") from None
        return made

    def _made(self, cluster_class: Any, otherwise: Mapping[str, Any]) -> Any:
        try:
            return cluster_class(**{**otherwise, **self.arguments})
        except (TypeError, ValueError) as error:
            raise self._wrong_arguments("cluster_kwargs", error) from None
        except Exception as error:  # the boundary: a class of somebody else's
            raise ClusterError(f"--cluster {self.asked}: cannot be started: {self._reason(error)}") from None

    def _wrong_arguments(self, table: str, error: Exception) -> ConfigurationError:
        return ConfigurationError(f"--cluster {self.asked}: {table}: {self._reason(error)}")

    def _reason(self, error: Exception) -> str:
        """The first line of an exception's text, without any value of the arguments.

        The exception itself is no cause of ours: Prefect would keep its text, with the traceback.
        """
        line = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        for text in sorted(set(_texts([self.arguments, self.adapt])), key=len, reverse=True):
            line = line.replace(text, "***")
        return redacted(line)


def asked_class(cluster: str) -> ClusterClass:
    """The class that `--cluster` names, by its dotted path or in a file.

    Raises:
        ConfigurationError: the file cannot be read, or has other keys than `cluster_class` and the two tables.
    """
    if not cluster.endswith(".toml"):
        return ClusterClass(cluster, cluster)
    tables = read_toml(Path(cluster), "description of a cluster")
    for key, value in tables.items():
        if key not in _TABLES:
            raise ConfigurationError(f"{cluster}: {key}: not one of {', '.join(_TABLES)}")
        if not isinstance(value, _TABLES[key]):
            wanted = "a text" if _TABLES[key] is str else f"a table, [{key}]"
            raise ConfigurationError(f"{cluster}: {key}: wants {wanted}")
    name, arguments = tables.get("cluster_class"), tables.get("cluster_kwargs", {})
    if name is None or "." not in name:
        raise ConfigurationError(f'{cluster}: cluster_class: name a class, as "dask_jobqueue.SLURMCluster"')
    if "asynchronous" in arguments:
        raise ConfigurationError(f"{cluster}: cluster_kwargs: asynchronous: leave it out, the flow decides it")
    return ClusterClass(cluster, name, arguments, tables.get("adapt_kwargs"))


@contextmanager
def closing(cluster: Any, name: str) -> Iterator[Any]:
    """Close a cluster at the end of the block, whatever ends it."""
    try:
        yield cluster
    finally:
        close(cluster, name)


def close(cluster: Any, name: str) -> None:
    """Close a cluster; if that fails, warn, since its workers may go on and cost money."""
    try:
        cluster.close()
    except Exception as error:  # the boundary: a class of somebody else's, and another error may be on its way
        _log.warning("%s was not closed (%s): see that its workers end", name, type(error).__name__)


def _texts(values: Any) -> Iterator[str]:
    """The texts in some arguments, and the words of each, that are long enough to be a secret."""
    if isinstance(values, str):
        words = {values, *re.split(r"[\s=:,;'\"]+", values)}
        yield from (word for word in words if len(word) >= _LEAST_HIDDEN)
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _texts(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _texts(value)
