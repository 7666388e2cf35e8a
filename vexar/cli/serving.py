"""The commands `run`, `init-db` and `check`: serve, prepare the database, look for what would go wrong."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from config import load, make_folders
from vexar.cli import CommandError
from vexar.cli.house import House
from vexar.store import StoreError
from vexar.store.db import is_migrated, migrate

MIN_OPEN_FILES = 4096
# An endpoint that has to load the model first.
CHECK_TIMEOUT_S = 30.0
ROOT = Path(__file__).resolve().parent.parent.parent


def add_commands(subparsers: Any) -> None:
    """Register the commands."""
    running = subparsers.add_parser("run", help="prepare everything and serve", description="Prepare and serve.")
    running.add_argument("--bind", metavar="HOST:PORT", help="instead of VEXAR_BIND")
    running.add_argument("--demo", action="store_true", help="with the demo shop, as VEXAR_DEMO=on")
    running.set_defaults(run=run_server)
    preparing = subparsers.add_parser("init-db", help="make or migrate the database (never required)")
    preparing.add_argument("--json", action="store_true")
    preparing.set_defaults(run=run_init)
    checking = subparsers.add_parser("check", help="look at settings, database, upstream and limits of the machine")
    checking.add_argument("--json", action="store_true")
    checking.set_defaults(run=run_check)


def run_server(args: Namespace, house: House) -> int:
    """Replace this process by gunicorn, so that signals reach it directly."""
    if args.bind:
        os.environ["VEXAR_BIND"] = args.bind
    if args.demo:
        os.environ["VEXAR_DEMO"] = "on"
    house.config = load()
    make_folders(house.config)
    # Here and not only in the workers: a database that cannot be opened is one line and the end.
    try:
        migrate(house.config.database_url)
    except (OSError, StoreError) as problem:
        raise CommandError(f"VEXAR_DATABASE_URL: {problem}") from None
    _check_bind(house.config.bind)
    _greet(house)
    # Not another folder: .env and relative paths mean the one this was started in.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"])
    return 0


def run_init(args: Namespace, house: House) -> int:
    """Create or migrate; the server and every command do it by themselves, too."""
    applied = migrate(house.config.database_url)
    if args.json:
        print(json.dumps({"applied": applied}))
    else:
        print("applied: " + ", ".join(applied) if applied else "the database is up to date")
    return 0


def run_check(args: Namespace, house: House) -> int:
    """Print what was looked at; 1 when something is wrong."""
    results = [_try(name, look) for name, look in _checks(house)]
    if args.json:
        print(json.dumps({"ok": all(result["ok"] for result in results), "checks": results}))
    else:
        for result in results:
            print(f"{'ok ' if result['ok'] else 'BAD'}  {result['name']}: {result['detail']}")
    return 0 if all(result["ok"] for result in results) else 1


def _check_bind(bind: str) -> None:
    """Raise CommandError when somebody listens there already; gunicorn would try for five seconds, in ten lines."""
    host, _, port = bind.rpartition(":")
    if bind.startswith("unix:") or port == "0":
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host.strip("[]"), int(port)), family=family).close()
    except OSError as problem:
        raise CommandError(f"cannot listen at {bind}: {problem.strerror}; is Vexar running already?") from None


def _greet(house: House) -> None:
    if house.config.demo:
        print(f"Demo shop:  {house.base}/")
        print(f"Ask it:     curl -N {house.base}/api/v1/chat/stream -H 'Content-Type: application/json' \\")
        print('              -d \'{"site_key":"sk_demo","session_id":"sess_1","message":"Do you ship to Canada?"}\'')
        print(f"Tag:        {house.tag('sk_demo')}")
    print(f"Console:    {house.base}/console/")
    print(f"API docs:   {house.base}/docs")
    print("Stop it with Ctrl-C.", flush=True)


def _checks(house: House) -> Iterator[tuple[str, Callable[[], str]]]:
    config = house.config
    yield "settings", lambda: "every value can be used"
    yield "database", lambda: _check_database(house)
    yield "data folder", lambda: _check_folder(config.data_dir)
    yield "upload folder", lambda: _check_folder(config.upload_dir)
    yield "upstream", lambda: _check_upstream(house)
    yield "embeddings", lambda: _check_embeddings(house)
    yield "open files", _check_open_files
    yield "visitors' addresses", lambda: _check_proxies(house)


def _try(name: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": look()}
    except (CommandError, StoreError, OSError) as problem:
        return {"name": name, "ok": False, "detail": " ".join(str(problem).split())}


def _check_database(house: House) -> str:
    if not is_migrated(house.store):
        raise CommandError("its schema is older than this version")
    return f"{house.store.dialect}, schema up to date"


def _check_folder(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".check-{os.getpid()}"
    probe.write_bytes(b"")
    probe.unlink()
    return "can be written"


def _check_upstream(house: House) -> str:
    config = house.config
    if not config.ai_base_url:
        return "none; the builtin answerer answers from the knowledge base"
    from vexar.errors import ProviderError
    from vexar.providers import Prompt
    from vexar.providers.openai import OpenAIProvider

    with contextlib.closing(OpenAIProvider(config)) as provider:
        answer = provider.answer(Prompt(question="Reply with the word ok."))
        try:
            next(iter(answer))
        except (ProviderError, StopIteration) as problem:
            raise CommandError(f"{config.ai_base_url} does not answer: {problem}") from None
        finally:
            answer.cancel()
    return f"{config.ai_base_url} answers"


def _check_embeddings(house: House) -> str:
    from vexar.errors import ProviderError
    from vexar.knowledge.meaning import rows
    from vexar.knowledge.meaning.nearness import open_client

    client = open_client(house.config)
    if client is None:
        return "off; knowledge is found by its words"
    try:
        dims = len(client.embed(["Reply with the word ok."], timeout_s=CHECK_TIMEOUT_S)[0])
    except ProviderError as problem:
        raise CommandError(f"{client.model} does not answer: {problem}; knowledge is found by its words") from None
    finally:
        client.close()
    made, chunks = house.store.read_heavy(rows.progress, model=client.model)
    return f"{client.model} answers with {dims} dimensions; {made} of {chunks} parts of texts have theirs"


def _check_open_files() -> str:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < MIN_OPEN_FILES:
        raise CommandError(f"only {hard} are allowed; raise the limit to {MIN_OPEN_FILES} (ulimit -n, LimitNOFILE=)")
    return "unlimited" if hard == resource.RLIM_INFINITY else f"{hard} are allowed"


def _check_proxies(house: House) -> str:
    if house.config.trusted_proxies:
        return "believed from the proxies in VEXAR_TRUSTED_PROXIES"
    return (
        "no proxy is trusted; behind one, set VEXAR_TRUSTED_PROXIES, or limits and blocks by address are off"
    )
