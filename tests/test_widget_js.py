"""The widget's modules: their tests run in Node, and what no module may do is looked for in their text."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.conftest import needed
from tests.services import ROOT, find_program

WIDGET = ROOT / "static" / "widget"
MODULES = sorted(WIDGET.glob("*.js"))
LANGUAGES = {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "uk", "tr", "ar", "he", "zh", "ja"}
# Each makes an element, code or a request out of a string, or writes where nothing may be written.
FORBIDDEN = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment", "setHTMLUnsafe",
    "eval(", "new Function", "srcdoc", "createObjectURL", "setAttribute(\"style\"", "document.cookie", "indexedDB",
)  # fmt: skip
# A page may have replaced them.
ARRAY_METHODS = (
    "map", "filter", "forEach", "push", "pop", "shift", "unshift", "some", "every", "reduce", "splice", "concat",
    "join", "findLast", "flat", "flatMap", "reverse", "sort", "at", "keys()", "fill",
)  # fmt: skip


def test_the_tests_of_the_modules_pass():
    with needed("needs Node"):
        node = find_program("node", "nodejs")
    run = subprocess.run([node, "--test", "tests/js"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert int(re.search(r"^# pass (\d+)", run.stdout, re.MULTILINE)[1]) >= 60


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_module_makes_elements_or_code_from_strings(module):
    text = module.read_text(encoding="utf-8")
    assert [word for word in FORBIDDEN if word in text] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_module_needs_the_methods_of_array(module):
    text = re.sub(r"^\s*//.*", "", module.read_text(encoding="utf-8"), flags=re.MULTILINE)
    allowed = {"api.push"} if module.name == "chatbot.js" else set()
    used = "|".join(re.escape(name) for name in ARRAY_METHODS)
    found = {match[0] for match in re.finditer(rf"[\w)\]]+\.(?:{used})(?=\(|\b)", text)}
    assert {word for word in found if word not in allowed and not word.startswith(("this.", "Math."))} == set()


def test_every_language_says_everything():
    assert {path.stem for path in (WIDGET / "lang").glob("*.js")} == LANGUAGES
    english = words_of("en")
    for lang in LANGUAGES:
        words = words_of(lang)
        assert words.keys() == english.keys(), lang
        assert all(places(words[name]) == places(english[name]) for name in english), lang
        assert lang == "en" or sum(words[name] == english[name] for name in english) < 8, lang


def words_of(lang: str) -> dict[str, str]:
    text = (WIDGET / "lang" / f"{lang}.js").read_text(encoding="utf-8")
    return dict(re.findall(r'(\w+): "([^"]*)"', text))


def places(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))
