"""Imports go one way, one library has one door, and nothing is imported that requirements.txt does not bring.

The tables are the rule; a new module is added to LAYERS where it belongs. Imports for type checkers do not count.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache

import pytest

from tests.services import ROOT

# Low to high. A module imports only from lower lines, and from its own line what SIBLINGS lists. A package
# stands for everything in it, unless a module of it has a place of its own.
LAYERS = (
    # Each module of these packages has a place of its own; the packages themselves hold nothing.
    ("vexar.conversing", "vexar.desk", "vexar.erasing", "vexar.live", "vexar.media", "vexar.nudges",
     "vexar.outbound", "vexar.people", "vexar.sites",
     "config", "vexar", "vexar.errors", "vexar.native", "vexar.addresses", "vexar.phones", "vexar.housekeeping",
     "vexar.outbound.dialing"),
    ("vexar.conversing.lines", "vexar.events", "vexar.logs", "vexar.metrics", "vexar.outbound.fetch",
     "vexar.outbound.outside", "vexar.people.passwords", "vexar.providers", "vexar.sites.hours",
     "vexar.sites.settings", "vexar.sse", "vexar.store", "vexar.wording"),
    ("vexar.models", "vexar.broker", "vexar.limits", "vexar.media.images"),
    ("vexar.answers.budgets", "vexar.answers.leases", "vexar.answers.ledger", "vexar.conversing.alarms",
     "vexar.conversing.blocking", "vexar.conversing.blocks", "vexar.conversing.clocks",
     "vexar.conversing.conversations", "vexar.conversing.feedback", "vexar.conversing.handover",
     "vexar.conversing.messages", "vexar.conversing.receiving", "vexar.conversing.views",
     "vexar.conversing.visitors", "vexar.demo", "vexar.desk.analytics", "vexar.desk.desk",
     "vexar.desk.desk_news", "vexar.desk.digest", "vexar.desk.exporting", "vexar.desk.finding",
     "vexar.desk.inbox", "vexar.desk.leads", "vexar.desk.listing", "vexar.erasing.erasure",
     "vexar.erasing.retention", "vexar.knowledge", "vexar.live.online", "vexar.live.typists",
     "vexar.live.visitor_stream", "vexar.media.uploads", "vexar.nudges.nudge_figures",
     "vexar.nudges.nudge_rules", "vexar.nudges.nudges", "vexar.people.accounts", "vexar.people.auth",
     "vexar.people.failures", "vexar.people.links", "vexar.people.presence", "vexar.people.routing",
     "vexar.people.sessions", "vexar.people.team", "vexar.sites.canned", "vexar.sites.site_settings",
     "vexar.sites.sites"),
    ("vexar.answers", "vexar.scheduler", "vexar.live.push", "vexar.live.push_operators",
     "vexar.erasing.erasing"),
    ("vexar.parts",),
    ("vexar.routes", "vexar.cli"),
    ("app",),
    ("wsgi", "gunicorn.conf"),
)  # fmt: skip

SIBLINGS = {
    "vexar.sse": {"vexar.events"},
    "vexar.sites.hours": {"vexar.sites.settings"},
    "vexar.outbound.outside": {"vexar.outbound.fetch"},
    "vexar.providers": {"vexar.outbound.fetch"},
    # From the noun to the verb: a visitor's rows, then what is asked of them, then the conversation as a whole.
    "vexar.answers.ledger": {"vexar.answers.leases", "vexar.conversing.visitors"},
    "vexar.conversing.blocks": {"vexar.conversing.messages", "vexar.conversing.visitors"},
    "vexar.answers.budgets": {"vexar.answers.ledger"},
    "vexar.conversing.views": {"vexar.conversing.blocks", "vexar.conversing.messages",
        "vexar.conversing.visitors"},
    "vexar.nudges.nudges": {"vexar.conversing.blocks", "vexar.conversing.messages",
        "vexar.conversing.visitors", "vexar.nudges.nudge_rules"},
    "vexar.nudges.nudge_rules": {"vexar.sites.sites"},
    "vexar.nudges.nudge_figures": {"vexar.nudges.nudge_rules"},
    "vexar.conversing.feedback": {"vexar.conversing.blocks", "vexar.conversing.visitors", "vexar.desk.finding"},
    "vexar.conversing.clocks": {"vexar.conversing.visitors"},
    "vexar.people.routing": {"vexar.people.auth", "vexar.people.presence"},
    "vexar.conversing.handover": {"vexar.answers.ledger", "vexar.conversing.blocks",
        "vexar.conversing.clocks", "vexar.conversing.visitors", "vexar.people.routing"},
    "vexar.conversing.blocking": {"vexar.answers.ledger", "vexar.conversing.blocks",
        "vexar.conversing.visitors"},
    "vexar.conversing.alarms": {"vexar.conversing.clocks", "vexar.conversing.handover",
        "vexar.conversing.messages", "vexar.conversing.visitors", "vexar.people.routing"},
    "vexar.conversing.receiving": {"vexar.answers.budgets", "vexar.answers.leases", "vexar.answers.ledger",
        "vexar.conversing.blocks", "vexar.conversing.clocks", "vexar.conversing.messages",
        "vexar.conversing.visitors"},
    "vexar.conversing.conversations": {"vexar.conversing.alarms", "vexar.conversing.blocking",
        "vexar.conversing.blocks", "vexar.conversing.feedback", "vexar.conversing.handover",
        "vexar.conversing.receiving", "vexar.conversing.visitors", "vexar.desk.desk", "vexar.media.uploads",
        "vexar.nudges.nudges"},
    "vexar.people.links": {"vexar.people.auth"},
    "vexar.people.sessions": {"vexar.people.auth"},
    "vexar.people.accounts": {"vexar.conversing.messages", "vexar.people.auth", "vexar.people.failures",
        "vexar.people.links", "vexar.people.sessions"},
    "vexar.people.team": {"vexar.conversing.messages", "vexar.people.auth", "vexar.people.links",
        "vexar.people.presence", "vexar.people.sessions"},
    "vexar.demo": {"vexar.knowledge"},
    "vexar.people.presence": {"vexar.conversing.messages"},
    "vexar.desk.desk_news": {"vexar.conversing.messages", "vexar.desk.inbox", "vexar.desk.listing",
        "vexar.people.presence"},
    "vexar.desk.desk": {"vexar.conversing.messages", "vexar.conversing.visitors", "vexar.desk.inbox",
        "vexar.desk.listing", "vexar.live.online"},
    "vexar.live.typists": {"vexar.conversing.visitors", "vexar.live.visitor_stream"},
    "vexar.live.visitor_stream": {"vexar.conversing.messages", "vexar.conversing.views",
        "vexar.conversing.visitors"},
    "vexar.sites.sites": {"vexar.conversing.messages"},
    "vexar.sites.site_settings": {"vexar.sites.sites"},
    "vexar.sites.canned": {"vexar.conversing.messages", "vexar.sites.sites"},
    "vexar.erasing.erasure": {"vexar.answers.ledger", "vexar.conversing.visitors", "vexar.erasing.retention"},
    # It wakes those who follow the answers that it cuts.
    "vexar.erasing.erasing": {"vexar.answers"},
    "vexar.desk.exporting": {"vexar.conversing.messages", "vexar.desk.inbox", "vexar.media.uploads"},
    "vexar.desk.inbox": {"vexar.conversing.messages"},
    "vexar.desk.finding": {"vexar.knowledge"},
    "vexar.desk.digest": {"vexar.desk.finding"},
    "vexar.desk.listing": {"vexar.conversing.blocks", "vexar.conversing.messages", "vexar.desk.finding",
        "vexar.desk.inbox"},
    "vexar.desk.leads": {"vexar.conversing.messages", "vexar.desk.finding"},
    "vexar.desk.analytics": {"vexar.conversing.messages", "vexar.desk.inbox", "vexar.desk.leads",
        "vexar.desk.listing", "vexar.knowledge"},
}  # fmt: skip

# Against the direction, each with its reason.
EXCEPTIONS = {
    # Both need the same words of a language; text.py itself imports nothing.
    ("vexar.providers.builtin", "vexar.knowledge.text"),
    # The sentences that answer, also shown as the excerpt of a source; it imports text.py and sentences.py alone.
    ("vexar.providers.builtin", "vexar.knowledge.quoting"),
}

# The one place, or the few, that may import a library.
DOORS = {
    "gevent": {"wsgi", "gunicorn.conf", "vexar.native"},
    "gunicorn": {"gunicorn.conf"},
    "flask": {"app", "vexar.parts", "vexar.routes"},
    "flask_cors": {"app", "vexar.routes"},
    "werkzeug": {"app", "vexar.routes"},
    "requests": {"vexar.outbound.fetch"},
    "urllib3": {"vexar.outbound.fetch"},
    "PIL": {"vexar.media.images"},
    "redis": {"vexar.broker", "vexar.limits"},
    "limits": {"vexar.limits"},
    "pymysql": {"vexar.store.mysql"},
    # `backup` copies a file that is in use, which only SQLite's own backup API can.
    "sqlite3": {"vexar.store.sqlite", "vexar.store.writer", "vexar.cli.keeping"},
    "playhouse": {"vexar.store.schema"},
    "prometheus_client": {"vexar.metrics"},
    "dotenv": {"config"},
    "snowballstemmer": {"vexar.knowledge.text"},
    "phonenumbers": {"vexar.phones"},
    "selectolax": {"vexar.knowledge.reading.html"},
    "protego": {"vexar.knowledge.crawling.rules"},
    "pypdf": {"vexar.knowledge.reading.extract"},
}

# The name to import of each package, where it is not the package's own.
IMPORT_NAMES = {"pillow": "PIL", "python-dotenv": "dotenv"}
# Brought by a package of the core ring that cannot be without it.
BROUGHT_ALONG = {"werkzeug": "flask", "urllib3": "requests", "playhouse": "peewee"}


def source_files() -> list[str]:
    """The Python files of the product, as paths in the project."""
    tops = [name for name in ("config.py", "app.py", "wsgi.py", "gunicorn.conf.py") if (ROOT / name).exists()]
    inside = [str(path.relative_to(ROOT)) for path in (ROOT / "vexar").rglob("*.py") if "migrations" not in path.parts]
    return sorted(tops + inside)


def module_name(path: str) -> str:
    """vexar/store/__init__.py -> vexar.store"""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


MODULES = {module_name(path): path for path in source_files()}


@cache
def tree(path: str) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: str, *, at_start_only: bool = False) -> set[str]:
    """The full names of what a file imports; `at_start_only` leaves out what is imported inside functions."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole name"
            whole = {f"{node.module}.{name.name}" for name in node.names}
            modules = whole & MODULES.keys()
            found |= modules or {node.module}
        elif not _is_for_type_checkers(node) and not (at_start_only and _is_function(node)):
            waiting += ast.iter_child_nodes(node)
    return found


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def place(module: str) -> str:
    """The entry of LAYERS a module belongs to: its own name, or the package that stands for it."""
    known = {name for layer in LAYERS for name in layer}
    name = module
    while name not in known and "." in name:
        name = name.rpartition(".")[0]
    # `vexar` itself holds only the version; it stands for nothing in it.
    has_place = name == module if name == "vexar" else name in known
    assert has_place, f"{module} has no place yet: add it to LAYERS in tests/test_imports.py"
    return name


def height(name: str) -> int:
    """The line of LAYERS a place stands in."""
    return next(line for line, layer in enumerate(LAYERS) if name in layer)


def is_allowed(module: str, imported: str) -> bool:
    """Whether LAYERS, SIBLINGS and EXCEPTIONS let one module import the other."""
    ours, theirs = place(module), place(imported)
    if ours == theirs or (module, imported) in EXCEPTIONS:
        return True
    return height(theirs) < height(ours) or theirs in SIBLINGS.get(ours, ())


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module):
    inside = {name for name in imports(MODULES[module]) if name in MODULES}
    assert sorted(name for name in inside if not is_allowed(module, name)) == []


def test_siblings_and_exceptions_are_really_imported():
    """A line of the tables that nothing needs any more is a door left open."""
    inside = {module: imports(path) & MODULES.keys() for module, path in MODULES.items()}
    edges = {(place(module), place(name)) for module, names in inside.items() for name in names}
    assert {(ours, theirs) for ours, many in SIBLINGS.items() for theirs in many} <= edges
    assert all(imported in imports(MODULES[module]) for module, imported in EXCEPTIONS)


def test_no_two_modules_import_each_other():
    graph = {module: imports(path, at_start_only=True) & MODULES.keys() - {module} for module, path in MODULES.items()}
    # A package's face imports what is behind it; that is not a circle between two nouns.
    graph = {module: {name for name in names if not module.startswith(f"{name}.")} for module, names in graph.items()}
    while leaves := [module for module, names in graph.items() if not names & graph.keys()]:
        for leaf in leaves:
            del graph[leaf]
    assert graph == {}


@pytest.mark.parametrize("library", DOORS)
def test_one_library_has_one_door(library):
    users = {
        module
        for module, path in MODULES.items()
        if any(name.partition(".")[0] == library for name in imports(path))
        and not any(module == door or module.startswith(f"{door}.") for door in DOORS[library])
    }
    assert users == set()


def test_only_the_settings_read_the_environment():
    def reads_it(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")

    readers = {module for module, path in MODULES.items() if any(reads_it(node) for node in ast.walk(tree(path)))}
    # The command line hands the environment on to the server it becomes.
    assert {place(module) for module in readers} <= {"config", "vexar.cli", "vexar.metrics"}


def listed(text: str) -> set[str]:
    """The package names of a requirements file."""
    return {name.lower().replace("_", "-") for name in re.findall(r"^[A-Za-z0-9][A-Za-z0-9._-]*", text, re.M)}


def test_everything_imported_at_the_start_is_in_requirements_txt():
    core = listed((ROOT / "requirements.txt").read_text())
    names = {IMPORT_NAMES.get(package, package.replace("-", "_")) for package in core}
    names |= {"config", "app", "wsgi", "vexar"}
    names |= {name for name, bringer in BROUGHT_ALONG.items() if bringer in core}
    for path in MODULES.values():
        outside = {name.partition(".")[0] for name in imports(path, at_start_only=True)} - sys.stdlib_module_names
        assert outside <= names, path


def test_every_requirement_says_why_and_is_pinned():
    pinned = listed((ROOT / "constraints.txt").read_text())
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert listed(text) <= pinned
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert all(re.fullmatch(r"\S+ +# \S.+", line) for line in lines)


def test_constraints_hold_versions_only():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*|# .*", line) for line in lines)
