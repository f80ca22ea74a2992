"""What holds for all tests: hypothesis asserts no time, for a machine may be busy with something else."""

from hypothesis import settings

settings.register_profile("counterpoint", deadline=None)
settings.load_profile("counterpoint")
