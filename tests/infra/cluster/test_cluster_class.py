"""Clusters of a class: how one is named, what it is told, that it is closed, and that no message shows a secret."""

import importlib
import inspect
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run_app
from flows.cli.options import Campaign
from infra.cluster.cluster_class import ClusterClass, asked_class, close, closing
from infra.cluster.clusters import check_cluster
from infra.cluster.workers import Workers
from infra.errors import ClusterError, ConfigurationError
from infra.settings import CampaignRequest
from infra.store import Store
from tests.documents import Block, blocks
from tests.infra.cluster import stubs

STUBS = "tests.infra.cluster.stubs"
SLURM = f"""
cluster_class = "{STUBS}.SLURMCluster"

[cluster_kwargs]
cores = 1
memory = "8GB"
job_script_prologue = ["export AWS_SECRET_ACCESS_KEY=hush-hush-hush"]
worker_extra_args = ["--resources", "GPU=1"]
"""


@pytest.fixture
def done() -> Iterator[list[tuple[Any, ...]]]:
    """What was done with the stubs."""
    stubs._Noting.done.clear()
    yield stubs._Noting.done
    stubs._Noting.done.clear()


def written(folder: Path, text: str) -> ClusterClass:
    path = folder / "cluster.toml"
    path.write_text(text)
    return asked_class(str(path))


@pytest.mark.parametrize(
    ("real", "stub"),
    [
        ("dask_jobqueue.SLURMCluster", stubs.SLURMCluster),
        ("dask_kubernetes.operator.KubeCluster", stubs.KubeCluster),
        ("dask_cuda.LocalCUDACluster", stubs.LocalCUDACluster),
    ],
)
def test_the_stubs_have_the_interface_of_the_real_ones(real: str, stub: type) -> None:
    module, _, name = real.rpartition(".")
    pytest.importorskip(module.partition(".")[0], reason=f"{module} is not installed")
    there = getattr(importlib.import_module(module), name)
    for method in ("__init__", "scale", "adapt", "close"):
        theirs, ours = (inspect.signature(getattr(each, method)) for each in (there, stub))
        assert [(p.name, p.kind) for p in ours.parameters.values() if p.name != "kwargs"] == [
            (p.name, p.kind) for p in theirs.parameters.values() if p.name != "kwargs"
        ], method


def test_a_file_gives_the_class_its_arguments_and_its_size(tmp_path: Path, done: list[tuple[Any, ...]]) -> None:
    asked = written(tmp_path, SLURM + "[adapt_kwargs]\nminimum_jobs = 1\nmaximum_jobs = 20\n")
    with closing(asked.start(None, {}), asked.name):
        pass
    (_, workers, jobs), adapted, closed = done
    assert (workers, jobs["cores"], jobs["worker_extra_args"]) == (0, 1, ["--resources", "GPU=1"])
    assert (adapted, closed) == (("adapt", 1, 20, {}), ("close",))
    assert asked.planned(None) == 20


def test_a_class_alone_is_scaled_to_the_workers_that_are_asked_for(tmp_path: Path, done: list[tuple[Any, ...]]) -> None:
    asked = written(tmp_path, SLURM)
    asked.start(3, {})
    assert done[-1] == ("scale", 3)
    assert asked.planned(3) == 3
    asked_class(f"{STUBS}.LocalCUDACluster").start(None, {"threads_per_worker": 1})
    assert done[-1] == ("LocalCUDACluster", None, {}), "it has a worker for each GPU, and is not scaled"
    written(tmp_path, f'cluster_class = "{STUBS}.KubeCluster"\ncluster_kwargs = {{image = "i", n_workers = 4}}').start(
        None, {}
    )
    assert done[-1] == ("KubeCluster", "i", 4, None)


def test_arguments_of_the_user_go_before_those_for_this_machine(tmp_path: Path, done: list[tuple[Any, ...]]) -> None:
    text = (
        f'cluster_class = "{STUBS}.LocalCUDACluster"\ncluster_kwargs = {{CUDA_VISIBLE_DEVICES = "0", security = false}}'
    )
    written(tmp_path, text).start(None, {"security": True, "dashboard_address": "127.0.0.1:0"})
    assert done == [("LocalCUDACluster", "0", {"security": False, "dashboard_address": "127.0.0.1:0"})]


def test_a_cluster_without_a_worker_is_closed_and_told(tmp_path: Path, done: list[tuple[Any, ...]]) -> None:
    with pytest.raises(ConfigurationError, match=r"cluster\.toml: it starts no worker; give --workers, or a file with"):
        written(tmp_path, SLURM).start(None, {})
    assert done[-1] == ("close",)


def test_a_cluster_that_refuses_its_size_is_closed_and_told(tmp_path: Path, done: list[tuple[Any, ...]]) -> None:
    with pytest.raises(ClusterError, match="cannot be given its size: .*Can not scale beyond visible devices"):
        asked_class(f"{STUBS}.LocalCUDACluster").start(2, {})
    assert done[-1] == ("close",)
    text = (
        f'cluster_class = "{STUBS}.SLURMCluster"\ncluster_kwargs = {{cores = 1}}\nadapt_kwargs = {{minimum_jobs = 1}}'
    )
    written(tmp_path, text).start(None, {}).close()
    wrong = f'cluster_class = "{STUBS}.KubeCluster"\nadapt_kwargs = {{most = 20}}'
    with pytest.raises(ConfigurationError, match=r"adapt_kwargs: .* unexpected keyword argument 'most'"):
        written(tmp_path, wrong).start(None, {})


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("dask_jobqueue.SLURMKluster", "SLURMKluster"),
        ("nowhere.at.all.Cluster", "no module nowhere; check the name, or install its package"),
        (f"{STUBS}.Missing", f"{STUBS} has no class Missing"),
        (f"{STUBS}.make_cluster", f"{STUBS} has no class make_cluster"),
        (f"{STUBS}.Lame", f"{STUBS}.Lame is no class of Dask clusters: it has no __enter__"),
    ],
)
def test_what_is_no_class_of_clusters_is_told_in_one_line(asked: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_cluster(asked, {})
    assert str(caught.value).startswith(f"--cluster {asked}: ")
    assert told in str(caught.value) or "`pip install dask-jobqueue`" in str(caught.value)


def test_a_package_that_is_not_installed_is_named_with_its_installation() -> None:
    pytest.importorskip("dask")
    if importlib.util.find_spec("dask_kubernetes") is not None:
        pytest.skip("dask-kubernetes is installed")
    told = r"no module dask_kubernetes; `pip install dask-kubernetes`"
    with pytest.raises(ConfigurationError, match=told):
        check_cluster("dask_kubernetes.operator.KubeCluster", {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cluster_klass = 1", "cluster_klass: not one of cluster_class, cluster_kwargs, adapt_kwargs"),
        ("cluster_class = 1", "cluster_class: wants a text"),
        ("cluster_kwargs = 1", r"cluster_kwargs: wants a table, \[cluster_kwargs\]"),
        ("[cluster_kwargs]", "cluster_class: name a class, as"),
        ("cluster_class = 'LocalCluster'", "cluster_class: name a class, as"),
        ("cluster_class = 'a.B'\ncluster_kwargs = {asynchronous = true}", "asynchronous: leave it out"),
        ("cluster_class = ", "not TOML"),
    ],
)
def test_a_file_that_describes_no_cluster_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        written(tmp_path, text)
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: cannot be read"):
        asked_class(str(tmp_path / "nowhere.toml"))


def described() -> list[Block]:
    """The blocks of the document about clusters of a class."""
    return [block for block in blocks() if block.mark == "tested in tests/infra/cluster/test_cluster_class.py"]


def test_the_clusters_of_the_document_are_made_of_the_arguments_that_it_gives(
    tmp_path: Path, done: list[tuple[Any, ...]]
) -> None:
    for text in (block.text for block in described() if "cluster_class" in block.text):
        asked = written(tmp_path, text)
        stub = getattr(stubs, asked.name.rpartition(".")[2])
        made = ClusterClass(asked.asked, f"{STUBS}.{stub.__name__}", asked.arguments, asked.adapt).start(None, {})
        assert isinstance(made, stub)
    assert [each[0] for each in done] == ["SLURMCluster", "adapt", "KubeCluster", "adapt", "LocalCUDACluster"]
    assert done[1] == ("adapt", 1, 40, {})
    assert done[-1][-1] == {"resources": {"GPU": 1}}


def test_the_commands_of_the_document_can_be_asked_for() -> None:
    lines = [line for block in described() for line in block.text.replace("\\\n", "").splitlines()]
    commands = [line.partition("prefect run ")[2].split() for line in lines if "prefect run " in line]
    assert len(commands) == 4
    for command in commands:
        _, bound, _ = run_app.parse_args(command, print_error=False, exit_on_error=False)
        request = Campaign().request(bound.arguments["places"])
        assert request.cluster in ("dask_jobqueue.SLURMCluster", "slurm.toml", "kubernetes.toml")


def test_no_message_shows_what_an_argument_holds(tmp_path: Path) -> None:
    asked = written(tmp_path, SLURM.replace("cores = 1", ""))
    with pytest.raises(ConfigurationError, match="cluster_kwargs: You must specify how much cores") as caught:
        asked.start(None, {})
    assert "hush" not in str(caught.value) + repr(asked)
    assert caught.value.__cause__ is None, "Prefect keeps the text of a cause"
    assert caught.value.__suppress_context__


def test_a_cluster_is_closed_whatever_ends_the_run_and_one_that_cannot_be_is_told(
    done: list[tuple[Any, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit), closing(stubs.SLURMCluster(cores=1), "SLURM"):
        raise SystemExit(143)  # what a SIGTERM is in a command
    assert done[-1] == ("close",)
    logging.getLogger("prefect").propagate = True
    close(stubs.KubeCluster(), "dask_kubernetes.operator.KubeCluster")
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == (
        "dask_kubernetes.operator.KubeCluster was not closed (ConnectionError): see that its workers end"
    )


def test_a_request_is_checked_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(tmp_path / "store"))
    workers = Workers.for_request(
        store, CampaignRequest(cluster=f"{STUBS}.SLURMCluster", workers=7, resources=("GPU=1", "RAM=2"))
    )
    assert (workers.size, workers.resources, workers.seconds) == (7, {"GPU": 1.0, "RAM": 2.0}, 300.0)
    split = CampaignRequest(cluster=f"{STUBS}.SLURMCluster", workers=7, processes_per_trial=2)
    assert (Workers.for_request(store, split).size, Workers.for_request(store, split).processes) == (7, 2)
    monkeypatch.setattr("infra.cluster.workers.default_workers", lambda: 5)
    here = [Workers.for_request(store, CampaignRequest(processes_per_trial=count)).size for count in (1, 2, 9)]
    assert here == [5, 2, 1], "a worker's trial has several cores"
    with pytest.raises(ConfigurationError, match="--resources: goes with --cluster"):
        Workers.for_request(store, CampaignRequest(cluster=None, resources=("GPU=1",)))
    with pytest.raises(ConfigurationError, match="has no class Missing"):
        Workers.for_request(store, CampaignRequest(cluster=f"{STUBS}.Missing"))
