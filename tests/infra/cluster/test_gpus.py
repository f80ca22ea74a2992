"""GPUs are counted without torch."""

import pytest
from dask.system import CPU_COUNT

from infra.cluster.gpus import default_workers, gpu_count


@pytest.fixture
def devices(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("COUNTERPOINT_DEVICE", raising=False)
    for name in ("nvidia0", "nvidia1", "nvidia12", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    return tmp_path


def test_devices_are_counted_and_nothing_else(devices, tmp_path):
    assert gpu_count(devices) == 3
    assert gpu_count(tmp_path / "none") == 0


@pytest.mark.parametrize(("visible", "count"), [("", 0), ("1", 1), ("0,2", 2), ("0,1,2,3,4", 3)])
def test_those_that_are_hidden_do_not_count(devices, monkeypatch, visible, count):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_count(devices) == count


def test_none_counts_where_the_processor_is_asked_for(devices, monkeypatch):
    monkeypatch.setenv("COUNTERPOINT_DEVICE", "cpu")
    assert gpu_count(devices) == 0
    assert default_workers() == CPU_COUNT


def test_one_process_a_gpu_or_else_one_a_core(monkeypatch):
    for gpus, workers in ((0, CPU_COUNT), (3, 3)):
        monkeypatch.setattr("infra.cluster.gpus.gpu_count", lambda gpus=gpus: gpus)
        assert default_workers() == workers
