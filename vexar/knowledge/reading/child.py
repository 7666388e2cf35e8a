"""The process that takes files and pages apart (`python -m`): it reads tasks from its standard input, one after the
other, and gives way to the server whenever that has something to do."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vexar.knowledge.reading.extract import ExtractError, extract
from vexar.knowledge.reading.frames import read_frame, write_frame
from vexar.knowledge.reading.html import read_page
from vexar.knowledge.reading.sitemaps import read_sitemap

# Without work it goes: a crawl a week must not keep the memory of two processes.
IDLE_S, GRACE_S = 30.0, 5
MAX_MEMORY_BYTES = 2_000_000_000
ENTRIES_PER_FRAME = 200


def main() -> None:
    """Work until the other side is gone or has nothing to do."""
    os.nice(10)
    # Where memory is short, the system shall end this process rather than the server.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    tasks, answers = os.fdopen(0, "rb", buffering=0), sys.stdout.buffer
    with suppress(EOFError, OSError):
        while select.select([tasks], [], [], IDLE_S)[0]:
            task, data = json.loads(read_frame(tasks)), read_frame(tasks)
            # A server that was killed cannot end us any more, and some pages would keep a parser busy for an hour.
            signal.alarm(int(task["timeout_s"]) + GRACE_S)
            for part in _parts(task, data):
                write_frame(answers, json.dumps(part).encode())
            write_frame(answers, b"")
            signal.alarm(0)


def _parts(task: dict[str, Any], data: bytes) -> Iterator[dict[str, Any]]:
    try:
        if task["do"] == "page":
            yield asdict(read_page(data, task["url"], task["charset"]))
        elif task["do"] == "sitemap":
            is_index, urls = read_sitemap(data)
            yield {"is_index": is_index, "urls": urls}
        else:
            yield from _file(task["name"], data)
    except ExtractError as problem:
        yield {"error": str(problem)}
    except (MemoryError, RecursionError):
        yield {"error": "it is damaged or too intricate: it takes too much memory to read"}


def _file(name: str, data: bytes) -> Iterator[dict[str, Any]]:
    found = extract(name, data)
    for at in range(0, len(found.entries), ENTRIES_PER_FRAME):
        some = found.entries[at:at + ENTRIES_PER_FRAME]
        yield {"entries": [[each.type, each.title, each.question, each.content, each.url] for each in some]}
    yield {"skipped": found.skipped}


if __name__ == "__main__":
    main()
