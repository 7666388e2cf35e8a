"""The commands `learn` and `ask`: put files into a site's knowledge, and see what it answers."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError, Namespace
from typing import Any

from vexar.cli import CommandError
from vexar.cli.progress import Progress
from vexar.errors import ApiError
from vexar.knowledge.ask import MAX_SOURCES, ask
from vexar.knowledge.meaning.nearness import Meaning, open_client
from vexar.knowledge.reading.extract import ExtractError
from vexar.knowledge.reading.files import import_files
from vexar.models import Site
from vexar.store import P, Statement, Store

FIND_SITE = Statement(Site.select(Site.id, Site.name, Site.settings)
                      .where(Site.site_key == P.site_key, Site.is_active == 1))


def add_commands(subparsers: Any) -> None:
    """Register `learn` and `ask` with argparse's subparsers."""
    learn = subparsers.add_parser("learn", help="put files into a site's knowledge",
                                  description="Put md, txt, csv, jsonl, html or pdf files into a site's knowledge. "
                                  "Rows and files that cannot be read are skipped, with the reason. Ends with 1 when "
                                  "nothing could be read; a name that does not exist stops it before anything is "
                                  "stored.")
    learn.add_argument("--site", required=True, metavar="sk_...", help="the site's key")
    learn.add_argument("files", nargs="+", metavar="FILE",
                       help="md, txt, csv (type,title,question,content,url), jsonl, html, pdf; a folder or a pattern")
    learn.add_argument("--lang", default="", help="their language (en, de, ...); guessed when left out")
    learn.add_argument("--json", action="store_true", help="print what the import answers, as JSON")
    learn.set_defaults(run=run_learn)
    asking = subparsers.add_parser("ask", help="ask a site's knowledge a question",
                                   description="Show what a visitor's question would find and be answered.")
    asking.add_argument("--site", required=True, metavar="sk_...", help="the site's key")
    asking.add_argument("question", metavar="QUESTION")
    asking.add_argument("--lang", default="", help="the visitor's language; guessed when left out")
    asking.add_argument("--limit", type=_limit, default=10, help=f"how many sources to show, 1 to {MAX_SOURCES}")
    asking.add_argument("--json", action="store_true", help="print the answer of knowledge/ask, as JSON")
    asking.set_defaults(run=run_ask)


def run_learn(args: Namespace, house: Any) -> int:
    """Import the files; what cannot be taken is told, and fails the command when nothing else was there."""
    site = _site(house.store, args.site)
    progress = Progress(is_quiet=args.json)
    try:
        result = import_files(house.store, site.id, args.files, lang=args.lang, told=progress.told)
    except ExtractError as problem:
        raise CommandError(str(problem)) from problem
    finally:
        progress.close()
    status = 0 if result["imported"] else 1
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
        return status
    print(f"imported {result['imported']}, skipped {len(result['skipped'])}")
    for row in result["skipped"]:
        place = (row.get("file"), row["row"] and f"row {row['row']}")
        print(f"  {' '.join(filter(None, place))}: {row['error']}")
    return status


def run_ask(args: Namespace, house: Any) -> int:
    """Print the answer, how sure it is, and the sources."""
    site = _site(house.store, args.site)
    client = open_client(house.config)
    meaning = Meaning(house.store, client) if client else None
    try:
        result = ask(house.store, site, args.question, limit=args.limit, lang=args.lang)
    except ApiError as problem:
        raise CommandError(" ".join((problem.errors or {"": problem.sentence}).values())) from problem
    finally:
        if meaning:
            meaning.close()
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
        return 0
    print(result["answer"])
    verdict = "answered" if result["answered"] else "not answered"
    print(f"\n{verdict}, confidence {result['confidence']:.2f} (threshold {result['threshold']:.2f})")
    for source in result["sources"]:
        print(f"  {source['score']:6.2f}  {source['title']}  {source['url'] or ''}".rstrip())
    return 0


def _site(store: Store, site_key: str) -> Any:
    site = store.read(_find_site, site_key=site_key)
    if site is None:
        raise CommandError(f"no active site has the key {site_key[:200]!r}")
    return site


def _find_site(tx: Any, site_key: str) -> Any:
    return tx.one(FIND_SITE, site_key=site_key)


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SOURCES:
        raise ArgumentTypeError(f"must be a whole number from 1 to {MAX_SOURCES}")
    return int(text)
