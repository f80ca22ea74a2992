"""A page taken apart: its tags in their order, and nothing in it that is live but the one script of ours."""

import re
from html.parser import HTMLParser

from tasks.report.pages.scripts import page_script, script_hash
from tasks.report.pages.templates import PAPER

EVIL = '<script>alert("x")</script>'
PAGES = ("../index.html",)
VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}/index\.html")
SAMPLE = re.compile(r"samples/\d+-[\w=-]+/[\w=-]+\.(mid|txt)")
VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}


class Page(HTMLParser):
    """Collects the tags of a page and complains of one that is not closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def without_script(html: str) -> str:
    """The page without its script, as it reads where none runs."""
    return html.replace(f"<script>{page_script()}</script>", "")


def check_inert(html: str) -> Page:
    """Refuse what is live in a page: other scripts than ours, frames, handlers, addresses outside its own report."""
    page = Page(html)
    names = {tag for tag, _ in page.tags}
    assert page.all("script") == [{}]
    assert re.findall(r"<script>(.*?)</script>", html, re.DOTALL) == [page_script()]
    assert f"default-src 'none'; script-src '{script_hash()}'; style-src" in html
    assert not names & {"iframe", "object", "embed", "form", "base", "img"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            target = attributes.get(name, "#")
            assert (
                target.startswith(("#", "data:,"))
                or target in (*PAGES, PAPER)
                or SAMPLE.fullmatch(target)
                or VERSION.fullmatch(target)
            )
    html = without_script(html)
    assert "@import" not in html
    assert not re.findall(r"url\((?!#corpus-|data:font/woff2;base64,[A-Za-z0-9+/=]+\))", html)
    return page
