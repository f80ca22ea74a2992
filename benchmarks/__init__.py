"""Measurements. Each is run from the checkout as `python -m benchmarks.NAME`; its docstring says what it prints.

No product code and no package that is installed imports from here.
"""
