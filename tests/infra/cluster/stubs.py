"""Classes with the interface of clusters whose packages are not installed here: they note what is asked of them.

Their arguments are those of dask-jobqueue 0.9, dask-kubernetes 2026.3 and dask-cuda 26.10. Where one of these packages
is installed, `test_cluster_class.py` compares the signatures.
"""

from typing import Any, ClassVar, Self


class _Noting:
    """Notes what is done with each object of a class, and makes no worker."""

    done: ClassVar[list[tuple[Any, ...]]] = []
    scheduler_address = "tcp://127.0.0.1:9"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, timeout: Any = None) -> None:
        self.done.append(("close",))


class SLURMCluster(_Noting):
    """As `dask_jobqueue.SLURMCluster`: all that is not of the cluster is of its jobs."""

    def __init__(
        self,
        n_workers=0,
        job_cls=None,
        loop=None,
        security=None,
        shared_temp_directory=None,
        silence_logs="error",
        name=None,
        asynchronous=False,
        dashboard_address=None,
        host=None,
        scheduler_options=None,
        scheduler_cls=None,
        interface=None,
        protocol=None,
        config_name=None,
        **job_kwargs,
    ):
        if job_kwargs.get("cores") is None:
            raise ValueError(f"You must specify how much cores per job you want, not {job_kwargs}")
        self.worker_spec = dict.fromkeys(range(n_workers))
        self.done.append(("SLURMCluster", n_workers, job_kwargs))

    def scale(self, n=None, jobs=0, memory=None, cores=None):
        self.done.append(("scale", n))

    def adapt(self, *args, minimum_jobs: "int | None" = None, maximum_jobs: "int | None" = None, **kwargs):
        self.done.append(("adapt", minimum_jobs, maximum_jobs, kwargs))


class KubeCluster(_Noting):
    """As `dask_kubernetes.operator.KubeCluster`: every argument has its name."""

    def __init__(
        self,
        *,
        name=None,
        namespace=None,
        image=None,
        n_workers=None,
        resources=None,
        env=None,
        worker_command=None,
        port_forward_cluster_ip=None,
        create_mode=None,
        shutdown_on_close=None,
        idle_timeout=None,
        resource_timeout=None,
        scheduler_service_type=None,
        custom_cluster_spec=None,
        scheduler_forward_port=None,
        jupyter=False,
        loop=None,
        asynchronous=False,
        quiet=False,
        **kwargs,
    ):
        if kwargs:
            raise TypeError(f"Cluster.__init__() got an unexpected keyword argument {next(iter(kwargs))!r}")
        self.done.append(("KubeCluster", image, n_workers, env))

    def scale(self, n, worker_group="default"):
        self.done.append(("scale", n))

    def adapt(self, minimum=None, maximum=None):
        self.done.append(("adapt", minimum, maximum))

    def close(self, timeout=3600):
        raise ConnectionError("the cluster's API does not answer; its token is hush-hush")


class LocalCUDACluster(_Noting):
    """As `dask_cuda.LocalCUDACluster`: a worker for each GPU from the start, and no more than that."""

    def __init__(
        self,
        CUDA_VISIBLE_DEVICES=None,
        n_workers=None,
        threads_per_worker=1,
        memory_limit="auto",
        device_memory_limit="default",
        enable_cudf_spill=False,
        cudf_spill_stats=0,
        local_directory=None,
        protocol=None,
        enable_tcp_over_ucx=None,
        enable_infiniband=None,
        enable_nvlink=None,
        enable_rdmacm=None,
        rmm_pool_size=None,
        rmm_maximum_pool_size=None,
        rmm_managed_memory=False,
        rmm_async=False,
        rmm_allocator_external_lib_list=None,
        rmm_release_threshold=None,
        rmm_log_directory=None,
        rmm_track_allocations=False,
        log_spilling=False,
        pre_import=None,
        **kwargs,
    ):
        self.worker_spec = {0: None}
        self.done.append(("LocalCUDACluster", CUDA_VISIBLE_DEVICES, kwargs))

    def scale(self, n=0, memory=None, cores=None):
        raise ValueError("Can not scale beyond visible devices", [0])

    def adapt(self, **kwargs):
        self.done.append(("adapt", kwargs))


class Lame:
    """A class that is no cluster."""


def make_cluster() -> None:
    """No class at all."""
