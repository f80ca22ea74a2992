"""Trainings and counts that are no measurement of speed: `python -m benchmarks.experiments.NAME`."""
