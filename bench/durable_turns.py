"""What durability costs at 32 visitors: turns a second with the store on (every turn two durable commits) against
the same server with its store switched off, and how many fdatasync calls a turn takes.

Aims: at least 0.6 of the turns, at most 0.4 fdatasync a turn. Counting uses strace and its own run, since strace
slows what it watches; without strace the store's own count of commits stands in.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from _serve import Load, Served, add_demo_site

ROUNDS = 5
SECONDS = 4.0
VISITORS = 32
MIN_RATIO = 0.6
MAX_SYNCS = 0.4


def main() -> int:
    """Measure in turns; 0 when both aims are reached."""
    turns: dict[str, list[float]] = {"store off": [], "durable": []}
    with Served("bench._hollow:app", BENCH_KIND="hollow") as off, \
            Served("bench._hollow:app", BENCH_KIND="canned") as durable:
        add_demo_site(durable)
        for served in (off, durable):
            Load(served, visitors=VISITORS, seconds=1)
        for _ in range(ROUNDS):
            for name, served in (("store off", off), ("durable", durable)):
                load = Load(served, visitors=VISITORS, seconds=SECONDS)
                turns[name].append(load.turns / load.seconds)
                if load.failures:
                    print(f"{load.failures} of {load.turns} replies had no done")
                    return 1
        syncs, how = count_syncs(durable)
    print(f"{'store':12} {'turns/s (median of ' + str(ROUNDS) + ')':>28}")
    for name, values in turns.items():
        print(f"{name:12} {statistics.median(values):28.0f}")
    ratio = statistics.median(turns["durable"]) / statistics.median(turns["store off"])
    print(f"ratio {ratio:.2f} (aim: at least {MIN_RATIO}); {how} a turn {syncs:.3f} (aim: at most {MAX_SYNCS})")
    return 0 if ratio >= MIN_RATIO and syncs <= MAX_SYNCS else 1


def count_syncs(served: Served) -> tuple[float, str]:
    """fdatasync and fsync calls a turn while the same load runs."""
    strace = shutil.which("strace")
    if not strace:
        before = served.commits()
        load = Load(served, visitors=VISITORS, seconds=SECONDS)
        return (served.commits() - before) / load.turns, "commits (strace is not installed)"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "calls")
        command = [strace, "-f", "-c", "-e", "trace=fdatasync,fsync", "-o", str(report), "-p", str(served.worker())]
        watcher = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        load = Load(served, visitors=VISITORS, seconds=SECONDS)
        watcher.terminate()
        watcher.wait()
        rows = re.findall(r"^\s*\S+\s+\S+\s+\S+\s+(\d+).*\s(?:fdatasync|fsync)$", report.read_text(), re.M)
    return sum(map(int, rows)) / load.turns, "fdatasync"


if __name__ == "__main__":
    sys.exit(main())
