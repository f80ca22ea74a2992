"""The page and the file for programs are made from the same parts, each computed once, whoever asks for it."""

import sys
from collections import Counter

from tasks.report import Findings, estimate, findings, results_json
from tasks.report.pages.page import render_page
from tests.tasks.report.pages_made import small_results, undrawn

PARTS = (
    *("answer", "measure_ease", "ease_sentences", "tunings", "edge_rows", "mattering_rows", "diagnoses_of"),
    *("aggregate", "published_beside", "judge_claims"),
)


def test_page_and_file_compute_each_part_once(monkeypatch):
    results, asked = small_results("folk-tunes-words"), Counter[str]()
    modules = [module for name, module in sys.modules.items() if name.startswith("tasks.report.")]
    for name in PARTS:
        made = getattr(findings, name)

        def counted(*values, name=name, made=made):
            asked[name] += 1
            return made(*values)

        for module in modules:
            if getattr(module, name, None) is made:
                monkeypatch.setattr(module, name, counted)
    told = Findings(results, estimate(results, resamples=20))
    with undrawn():
        render_page(told)
    results_json(told)
    assert asked == dict.fromkeys(PARTS, 1)
