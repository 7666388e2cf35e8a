"""The commands `learn` and `ask`, called as the command line calls them."""

from __future__ import annotations

import argparse
import json
from types import SimpleNamespace

import pytest

from config import load
from tests.knowledge import make_site
from vexar.cli import CommandError, knowledge
from vexar.store import open_store


@pytest.fixture
def command(make_database):
    """`command("ask", "--site", ...)`: runs it over a store with the sites sk_test and the inactive sk_off."""
    store = open_store(make_database("sqlite"))
    make_site(store)
    make_site(store, "sk_off", is_active=0)
    parser = argparse.ArgumentParser()
    knowledge.add_commands(parser.add_subparsers(required=True))

    def run(*words):
        args = parser.parse_args([str(word) for word in words])
        return args.run(args, SimpleNamespace(config=load({}, env_file=None), store=store))

    yield run
    store.close()


@pytest.fixture
def shop(tmp_path):
    """A csv with one good and one bad row."""
    path = tmp_path / "shop.csv"
    path.write_text("type,title,question,content,url\nfaq,Ship,Do you ship to Canada?,Yes we do.,/c\nfaq,X,,Y,\n")
    return path


def test_learn_prints_what_an_import_answers(command, shop, capsys):
    assert command("learn", "--site", "sk_test", shop, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["imported"] == len(result["ids"]) == 1
    assert result["skipped"] == [{"row": 3, "error": "question is missing, and a faq needs one."}]


def test_learn_fails_only_when_nothing_could_be_read(command, shop, tmp_path, capsys):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"\xff\xfea")
    assert command("learn", "--site", "sk_test", tmp_path) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "imported 1, skipped 3"
    assert printed[1].startswith("  a.txt: ")
    assert command("learn", "--site", "sk_test", tmp_path / "*.txt") == 1
    assert "imported 0, skipped 2" in capsys.readouterr().out


def test_what_was_learned_is_answered(command, shop, capsys):
    command("learn", "--site", "sk_test", shop)
    assert capsys.readouterr().out.startswith("imported 1, skipped 1\n  row 3: ")
    assert command("ask", "--site", "sk_test", "do you ship to canada", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["answered"], result["answer"], result["sources"][0]["url"]) == (True, "Yes we do.", "/c")
    assert command("ask", "--site", "sk_test", "do you ship to canada", "--limit", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Yes we do."
    assert lines[2].startswith("answered, confidence 0.")
    assert lines[3].split()[1:] == ["Ship", "/c"]


def test_a_question_without_an_answer_is_no_failure(command, capsys):
    assert command("ask", "--site", "sk_test", "Who painted the Mona Lisa?") == 0
    assert "not answered" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["learn", "--site", "sk_nobody", "x.txt"], "no active site"),
        (["learn", "--site", "sk_off", "x.txt"], "no active site"),
        (["ask", "--site", "sk_off", "hello"], "no active site"),
        (["learn", "--site", "sk_test", "missing.txt"], "missing.txt: No such file"),
        (["learn", "--site", "sk_test", "setup.exe"], "setup.exe: No such file"),
        (["ask", "--site", "sk_test", " "], "Write a question"),
    ],
)
def test_what_fails_says_so_in_one_line(command, words, said):
    with pytest.raises(CommandError, match=said) as failed:
        command(*words)
    assert "\n" not in str(failed.value)


def test_progress_is_a_bar_on_a_terminal_lines_elsewhere_and_nothing_for_programs(command, shop, capsys, monkeypatch):
    command("learn", "--site", "sk_test", shop)
    assert capsys.readouterr().err.splitlines() == ["reading files: 1 of 1", "storing entries: 1 of 1"]
    command("learn", "--site", "sk_test", shop, "--json")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    command("learn", "--site", "sk_test", shop, "--json")
    printed = capsys.readouterr()
    assert "storing entries [##############################] 1/1" in printed.err
    assert printed.err.endswith("\r\x1b[K")
    assert json.loads(printed.out)["imported"] == 1


def test_ask_prints_what_the_endpoint_answers(command, shop, capsys):
    command("learn", "--site", "sk_test", shop)
    capsys.readouterr()
    command("ask", "--site", "sk_test", "do you ship to canada", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["success", "question", "answered", "confidence", "threshold", "answer", "sources"]
    assert list(printed["sources"][0])[:7] == ["knowledge_id", "type", "title", "question", "url", "excerpt", "score"]


def test_a_file_of_an_unknown_kind_is_named(command, tmp_path):
    (tmp_path / "a.exe").write_bytes(b"MZ")
    with pytest.raises(CommandError, match=r"a\.exe: files of this kind"):
        command("learn", "--site", "sk_test", tmp_path / "a.exe")


@pytest.mark.parametrize(
    "words",
    [["learn", "x.txt"], ["learn", "--site", "sk_test"], ["ask", "--site", "sk_test"],
     ["ask", "--site", "sk_test", "x", "--limit", "0"], ["ask", "--site", "sk_test", "x", "--limit", "51"]],
)  # fmt: skip
def test_wrong_usage_exits_with_2(command, words, capsys):
    with pytest.raises(SystemExit) as left:
        command(*words)
    assert left.value.code == 2
    assert "usage:" in capsys.readouterr().err
