"""The comparison of two versions of a report: their requests, code, data and results.

In this room: which trials both have, the changes of scores and effects with intervals, what settings differ, the words
and the page. Never in it: reading or writing a store (`tasks/publishing/compare.py`), or a statistic of its own.
"""

from tasks.report.compared.comparison import Comparison, compare_results
from tasks.report.compared.page import render_comparison

__all__ = ["Comparison", "compare_results", "render_comparison"]
