"""benchmarks/gpu.py on a processor: the day a GPU is lent is no day to find that the script has a mistake."""

import sys
from types import ModuleType

import pytest


@pytest.fixture
def script() -> ModuleType:
    from benchmarks import gpu

    return gpu


@pytest.mark.integration
def test_what_a_processor_can_show_is_met_and_the_rest_is_named(script: ModuleType) -> None:
    made, lacking, failed = script.show("cpu", 9)
    assert not failed
    assert {line.part for line in made} == {"scan", "training"}
    assert all(line.met for line in made)
    assert lacking == dict.fromkeys(("graphs", "gates", "memory"), "needs a GPU")


def test_a_part_that_fails_hides_no_other_and_none_begins_too_late(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(device: str) -> list[object]:
        raise RuntimeError(device)

    one = script.check("fine", "a number", 1.0, 2.0)
    parts = {"broken": (broken, False), "fine": (lambda device: iter([one]), False)}
    monkeypatch.setattr(script, "PARTS", parts)
    assert script.show("cpu", 9) == ([one], {}, {"broken": "RuntimeError: cpu"})
    made, lacking, failed = script.show("cpu", 0)
    assert (made, failed) == ([], {})
    assert set(lacking) == {"broken", "fine"}


def test_a_number_that_is_none_meets_no_bound(script: ModuleType) -> None:
    assert script.check("p", "n", float("nan"), 1.0).met is False
    assert script.check("p", "n", 5.0).met is None


def test_it_has_every_core_output_of_music_and_technique(script: ModuleType) -> None:
    some = [trial for stack in script.trials().values() for trial in stack]
    assert {trial.core for trial in some} >= {"rnn", "lstm", "gru"}
    assert {trial.output for trial in some} >= {"bernoulli", "nade", "rbm"}
    assert {type(technique).letter for trial in some for technique in trial.techniques} >= set("CLRM")


def test_without_a_gpu_it_says_so_in_one_line(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    monkeypatch.setattr(script.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="torch finds no GPU here; try the checks on a processor"):
        script.main()
