"""Every link from one document to another leads somewhere: the file is there, and so is the heading it points at.

Only what git keeps counts as there, so that a link to a file of this machine alone is found too.
"""

import re
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[3]
LINK = re.compile(
    r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+\"[^\"]*\")?\)"
)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
NAMED_IN_CODE = re.compile(r"\bdocs/[\w/.-]+\.(?:md|service|timer|json|yml|yaml)\b")


@cache
def kept() -> frozenset[Path]:
    """All files git keeps, and those it would if they were added now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("this is no git repository, so what belongs to it is not known")
    return frozenset(file for name in listed.stdout.split("\0") if name and (file := ROOT / name).is_file())


def links(markdown: str) -> Iterator[str]:
    """Where the links of a text lead. What stands in code is no link."""
    prose = re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.DOTALL | re.MULTILINE)
    yield from LINK.findall(re.sub(r"`[^`\n]+`", "`", prose))


def anchors(markdown: str) -> set[str]:
    """The names GitHub gives to headings; the second heading of a name gets a number."""
    prose = re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.DOTALL | re.MULTILINE)
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?)(?: +#+)?$", prose, re.MULTILINE):
        name = _slug(heading)
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def _slug(heading: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    marks = (mark for mark in text.strip().lower() if mark in "-_ " or unicodedata.category(mark)[0] in "LNM")
    return "".join(marks).replace(" ", "-")


def leads_nowhere(document: Path, link: str) -> str:
    """What is wrong with a link, or nothing."""
    path, _, anchor = link.partition("#")
    target = (document.parent / unquote(path)).resolve() if path else document
    if target.is_dir():
        there = any(file.is_relative_to(target) for file in kept())
        return "" if there and not anchor else "no such folder"
    if target not in kept():
        return "no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
        return "no such heading"
    return ""


def documents() -> list[Path]:
    return sorted(file for file in kept() if file.suffix == ".md")


class TestLinks:
    def test_all_lead_somewhere(self):
        wrong = [
            f"{document.relative_to(ROOT)}: {link} ({problem})"
            for document in documents()
            for link in links(document.read_text(encoding="utf-8"))
            if not ELSEWHERE.match(link) and (problem := leads_nowhere(document, link))
        ]
        assert not wrong, "\n".join(wrong)

    def test_are_found_at_all(self):
        """The README alone has dozens: a pattern that finds none would find nothing wrong either."""
        assert len(list(links((ROOT / "README.md").read_text(encoding="utf-8")))) > 40

    def test_names_of_documents_in_code_are_right(self):
        """What an error or a comment says to read is there."""
        wrong = [
            f"{file.relative_to(ROOT)}: {name}"
            for file in sorted(kept())
            if file != Path(__file__)
            if file.suffix in {".py", ".env", ".toml", ".sql", ".html"} or file.name == "Makefile"
            for name in NAMED_IN_CODE.findall(file.read_text(encoding="utf-8"))
            if ROOT / name not in kept()
        ]
        assert not wrong, "\n".join(wrong)

    @pytest.mark.parametrize(
        ("link", "problem"),
        [
            ("docs/faq.md", ""),
            ("docs", ""),
            ("docs/faq.md#for-people-who-pay", ""),
            ("docs/nothing.md", "no such file"),
            ("nowhere/", "no such file"),
            ("docs/faq.md#nothing", "no such heading"),
        ],
    )
    def test_that_lead_nowhere_are_told(self, link, problem):
        assert leads_nowhere(ROOT / "README.md", link) == problem


class TestAnchors:
    def test_are_those_of_github(self):
        text = "# Who is it?\n## A `code` & [a link](x.md)\n## Twice\n```\n# no heading\n```\n### Twice\n## Déjà-vu_1\n"
        assert anchors(text) == {"who-is-it", "a-code--a-link", "twice", "twice-1", "déjà-vu_1"}


class TestFinding:
    def test_sees_links_and_passes_over_code(self):
        text = "[a](b.md) ![c](d.png) `[no](code.md)` [`e`](f.md#g)\n```\n[no](fence.md)\n```\n[h](<i.md>)"
        assert list(links(text)) == ["b.md", "d.png", "f.md#g", "i.md"]
