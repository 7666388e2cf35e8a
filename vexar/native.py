"""Work that must not run on the event loop: the only door to native threads.

Under gevent's patched `threading` every "thread" is a greenlet, so a long computation or a wait for the disk
would freeze all streams of the worker. A `NativePool` runs a function in a real thread and blocks only its caller.
What runs there must not touch locks, queues or sockets of the patched world.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Every send of a stream gives the interpreter away, and waits so long to get it back from a native thread that
# computes: with Python's own 5 ms, eight streams wait 40 ms for one search.
SWITCH_S = 0.0005


def is_patched() -> bool:
    """Whether gevent has replaced `threading` in this process."""
    monkey = sys.modules.get("gevent.monkey")
    return bool(monkey and monkey.is_module_patched("threading"))


class NativePool:
    """`size` native threads; `run` returns what the function returns, or raises what it raises."""

    def __init__(self, size: int) -> None:
        self._executor = None
        if is_patched():
            from gevent.threadpool import ThreadPool

            sys.setswitchinterval(SWITCH_S)
            self._pool = ThreadPool(size)
        else:
            self._executor = ThreadPoolExecutor(size, thread_name_prefix="vexar-native")
            # It starts threads one by one, at moments of its own choice; here all begin with the pool.
            together = threading.Barrier(size)
            for started in [self._executor.submit(together.wait) for _ in range(size)]:
                started.result()

    def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Run `work(*args)` in a native thread and wait for it."""
        if self._executor:
            return self._executor.submit(work, *args).result()
        value, error = self._pool.apply(_outcome, (work, args))
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """End the threads once they are idle."""
        if self._executor:
            self._executor.shutdown(wait=True)
        else:
            self._pool.kill()


def _outcome(work: Callable[..., Any], args: tuple) -> tuple[Any, BaseException | None]:
    # gevent prints a traceback for whatever leaves a native thread as an exception, expected or not.
    try:
        return work(*args), None
    except BaseException as error:
        return None, error
