"""The one script of the pages: all of its files are in it, and nothing that ends the element that it stands in."""

import base64
import hashlib

from tasks.report.pages import scripts


def test_every_file_is_in_the_script_and_it_stays_in_its_element():
    folder = scripts._FOLDER
    assert sorted(path.stem for path in folder.iterdir()) == sorted(scripts.FILES)
    text = scripts.page_script()
    for path in folder.iterdir():
        assert path.read_text(encoding="utf-8") in text
    assert "</script" not in text.lower()
    assert "<!--" not in text


def test_the_policy_names_the_script_by_its_hash():
    digest = hashlib.sha256(scripts.page_script().encode()).digest()
    assert scripts.script_hash() == f"sha256-{base64.b64encode(digest).decode()}"
