"""Vexar with a canned provider, for benches: with its store switched off (`hollow`) or on (`canned`), and beside
them the smallest WSGI app that streams the same bytes (`bare`). Served by the same gunicorn.conf.py.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import itertools  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402
from types import SimpleNamespace  # noqa: E402

import app as vexar_app  # noqa: E402
from config import load  # noqa: E402
from vexar.answers.ledger import Ending  # noqa: E402
from vexar.conversing.receiving import Known, Receipt  # noqa: E402
from vexar.knowledge.search import Found  # noqa: E402
from vexar.models import Run, Site  # noqa: E402
from vexar.providers import Finish, Registry, Text  # noqa: E402
from vexar.sites.settings import SiteSettings, write_settings  # noqa: E402
from vexar.store import open_store  # noqa: E402
from vexar.store.statement import row_type  # noqa: E402

PIECES = int(os.environ.get("BENCH_PIECES", "40"))
# "together": the pieces come in one burst. Else seconds between two of them; 0 lets the others have a turn.
PAUSE = os.environ.get("BENCH_PAUSE_S", "0")
WORDS = tuple(f"word{number} " for number in range(PIECES))


class CannedProvider:
    """The same pieces for every question, one a turn of the loop."""

    name = "builtin"

    def answer(self, prompt):
        return self

    def __iter__(self):
        for word in WORDS:
            yield Text(word)
            if PAUSE != "together":
                time.sleep(float(PAUSE))
        yield Finish("stop")

    def cancel(self):
        pass


class HollowStore:
    """A store that keeps nothing: every job gets the answer it would have got from an empty database."""

    dialect = "sqlite"

    def __init__(self):
        self._numbers = itertools.count(1)
        self._site = _row(Site, id=1, site_key="sk_demo", name="Bench", is_active=1,
                          settings=write_settings(SiteSettings(allowed_origins=["*"])))
        self._message = SimpleNamespace(content="question", image_url=None, seq=1)

    def read(self, job, **arguments):
        return getattr(self, "job_" + job.__name__.strip("_"))(**arguments)

    write = read

    def read_heavy(self, job, **arguments):
        return Found((), 0.0), None

    def counts(self):
        return {"jobs": 0, "commits": 0}

    def close(self):
        pass

    def job_find_site(self, site_key):
        return self._site

    def job_look_up(self, incoming, last):
        return Known(incoming, True, needs_model=True)

    def job_receive(self, incoming, **rest):
        number = next(self._numbers)
        run = _row(Run, visitor_id=number, seq=1, message_id=incoming.message_id, site_id=1, conversation_id=number,
                   attempt=1, state="running", owner="bench", tokens_reserved=0)
        return Receipt(number, run, is_new=True, is_mine=True)

    def job_facts(self, run):
        return self._site, self._message, "en", []

    def job_store_answer(self, text, finish_reason, **rest):
        return Ending(finish_reason, 1, "ai", text=text, reply_seq=2)

    def job_session_of(self, visitor_id):
        return "bench"

    def job_owned(self, owner):
        return _Everything()

    def job_keep(self, **rest):
        return None

    def job_dead(self):
        return []

    def job_release(self, **rest):
        return None


class _Everything(dict):
    def __contains__(self, key):
        return True

    def __missing__(self, key):
        return False


def _row(model, **values):
    names = tuple(model._meta.fields)
    return row_type(names)(*(values.get(name, 0) for name in names))


def bare(environ, start_response):
    """Reads the body and streams as many events as an answer of Vexar has."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")])
    return _events()


def _events():
    for word in WORDS:
        yield b'data: {"type":"chunk","content":"%s"}\n\n' % word.encode()
        if PAUSE != "together":
            time.sleep(float(PAUSE))
    yield b'data: {"type":"done","meta":{"conversation_id":1}}\n\n'


def _make(kind):
    config = load()
    original = vexar_app.create_parts
    registry = Registry()
    registry.add(CannedProvider())
    store = HollowStore() if kind == "hollow" else open_store(config.database_url)
    vexar_app.create_parts = lambda config: original(config, store=store, providers=registry)
    return vexar_app.create_app(config)


app = bare if os.environ["BENCH_KIND"] == "bare" else _make(os.environ["BENCH_KIND"])
