"""The commands `backup`, `export` and `prune`: a copy that can be trusted, a site's data as files, tidying up."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from argparse import Namespace
from contextlib import closing
from pathlib import Path
from typing import Any

from vexar.answers import leases, ledger
from vexar.cli import CommandError
from vexar.cli.house import House
from vexar.conversing import messages
from vexar.media.uploads import PREFIX, Uploads
from vexar.models import Conversation, KnowledgeEntry, Message, Upload, Visitor
from vexar.store import P, Statement, Transaction
from vexar.store.db import is_mysql, sqlite_path
from vexar.store.mysql import connection_options

PAGE = 500
BACKUP_PAGES = 2_000
TABLES = {"visitors": Visitor, "conversations": Conversation, "knowledge": KnowledgeEntry}
_MESSAGES = Statement(
    Message.select(Message).where(Message.visitor_id == P.visitor_id).order_by(Message.seq)
)
_UPLOADS = Statement(
    Upload.select(Upload.path).where((Upload.site_id == P.site_id) & (Upload.path > P.after))
    .order_by(Upload.path).limit(PAGE)
)


def add_commands(subparsers: Any) -> None:
    """Register the commands."""
    backing = subparsers.add_parser("backup", help="copy the database into a file, while the server runs")
    backing.add_argument("file", metavar="FILE")
    backing.add_argument("--json", action="store_true")
    backing.set_defaults(run=run_backup)
    exporting = subparsers.add_parser("export", help="write a site's data into a folder, as JSON lines and images")
    exporting.add_argument("--site", required=True, metavar="sk_...")
    exporting.add_argument("folder", metavar="DIR")
    exporting.add_argument("--json", action="store_true")
    exporting.set_defaults(run=run_export)
    pruning = subparsers.add_parser("prune", help="remove unused images, bury what dead workers left")
    pruning.add_argument("--json", action="store_true")
    pruning.set_defaults(run=run_prune)


def run_backup(args: Namespace, house: House) -> int:
    """A consistent copy; copying the file itself under load would miss acknowledged messages."""
    target = Path(args.file).absolute()
    if target.exists():
        raise CommandError(f"{target.name} exists already")
    partial = target.with_name(f"{target.name}.part")
    try:
        if is_mysql(house.config.database_url):
            _dump_mysql(house.config.database_url, partial)
        else:
            _copy_sqlite(house, partial)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    size = target.stat().st_size
    print(json.dumps({"file": str(target), "bytes": size}) if args.json else f"{target}: {size} bytes")
    return 0


def run_export(args: Namespace, house: House) -> int:
    """Everything of one site: one file a table, one JSON object a line, and its images."""
    site = house.site(args.site)
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty")
    counts = {name: _export_table(house, site.id, model, folder / f"{name}.jsonl") for name, model in TABLES.items()}
    counts["messages"] = _export_messages(house, site.id, folder / "messages.jsonl")
    counts["images"] = _export_images(house, site.id, folder / "images")
    (folder / "site.json").write_text(
        json.dumps({"site_key": site.site_key, "name": site.name, "url": site.url,
                    "settings": json.loads(site.settings)}, ensure_ascii=False, indent=1),
        encoding="utf-8",
    )
    print(json.dumps(counts) if args.json else ", ".join(f"{name}: {count}" for name, count in counts.items()))
    return 0


def run_prune(args: Namespace, house: House) -> int:
    """What the server does by itself from time to time, now."""
    uploads = Uploads(house.config, house.store)
    try:
        images = uploads.sweep()
    finally:
        uploads.close()
    runs = sum(
        house.store.write(ledger.bury, visitor_id=visitor_id, seq=seq)
        for visitor_id, seq in house.store.read(leases.dead)
    )
    print(json.dumps({"images": images, "runs": runs}) if args.json else f"images: {images}, runs: {runs}")
    return 0


def _copy_sqlite(house: House, target: Path) -> None:
    # Opens the store first, so that the copy has this version's schema.
    house.store.read(leases.dead)
    try:
        with closing(sqlite3.connect(sqlite_path(house.config.database_url))) as source, \
                closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=BACKUP_PAGES)
    except sqlite3.Error as problem:
        raise CommandError(f"{target.parent} cannot take the copy: {problem}") from None


def _dump_mysql(url: str, target: Path) -> None:
    program = shutil.which("mariadb-dump") or shutil.which("mysqldump")
    if program is None:
        raise CommandError("needs mariadb-dump or mysqldump, which is not installed here")
    options = connection_options(url)
    # The password goes through a file of our own: arguments can be read by everybody on the machine.
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as settings:
        settings.write(_client_settings(options))
        settings.flush()
        command = [program, f"--defaults-extra-file={settings.name}", "--single-transaction", "--hex-blob",
                   "--default-character-set=utf8mb4", options["database"]]
        with target.open("wb") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise CommandError(done.stderr.decode(errors="replace").strip() or "the dump failed")


def _client_settings(options: dict) -> str:
    lines = ["[client]", f"user={options['user']}"]
    if options["password"]:
        escaped = options["password"].replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'password="{escaped}"')
    if "unix_socket" in options:
        lines.append(f"socket={options['unix_socket']}")
    else:
        lines += [f"host={options['host']}", f"port={options['port']}"]
    return "\n".join(lines) + "\n"


def _export_table(house: House, site_id: int, model: Any, target: Path) -> int:
    after, count = 0, 0
    with target.open("w", encoding="utf-8") as file:
        while rows := house.store.read_heavy(_page, model=model, site_id=site_id, after=after):
            for row in rows:
                file.write(json.dumps(row._asdict(), ensure_ascii=False) + "\n")
            after, count = rows[-1].id, count + len(rows)
    return count


def _export_messages(house: House, site_id: int, target: Path) -> int:
    after, count = 0, 0
    with target.open("w", encoding="utf-8") as file:
        while visitors := house.store.read_heavy(_page, model=Visitor, site_id=site_id, after=after):
            for visitor in visitors:
                for line in house.store.read_heavy(_messages, visitor=visitor):
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                    count += 1
            after = visitors[-1].id
    return count


def _export_images(house: House, site_id: int, target: Path) -> int:
    after, count = "", 0
    while rows := house.store.read(_upload_page, site_id=site_id, after=after):
        for row in rows:
            source = house.config.upload_dir / row.path
            if source.is_file():
                (target / row.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target / row.path)
                count += 1
        after = rows[-1].path
    return count


def _page(tx: Transaction, *, model: Any, site_id: int, after: int) -> list:
    found = model.select(model).where((model.site_id == site_id) & (model.id > after))
    return tx.all(found.order_by(model.id).limit(PAGE))


def _messages(tx: Transaction, *, visitor: Any) -> list[dict]:
    rows = messages.all_to_wire(tx, tx.all(_MESSAGES, visitor_id=visitor.id), PREFIX)
    return [{"session_id": visitor.session_id, **row} for row in rows]


def _upload_page(tx: Transaction, *, site_id: int, after: str) -> list:
    return tx.all(_UPLOADS, site_id=site_id, after=after)
