"""The examples in the docstrings of models/ are true."""

import doctest
import importlib
import pkgutil

import pytest

import models

MODULES = sorted(found.name for found in pkgutil.walk_packages(models.__path__, "models."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 8
