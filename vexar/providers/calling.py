"""Doing what a model calls for while one answer is made: within bounds, each thing once, calls of a round at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from vexar.providers import Tool, ToolResult
from vexar.providers.calls import ToolCall

log = logging.getLogger("vexar.providers.calling")

# At once, and for one answer: a model that needs more is lost, and every call costs the visitor time.
MAX_AT_ONCE = 4
MAX_PER_ANSWER = 8

Key = tuple[str, str]
Work = Callable[..., ToolResult]

_UNKNOWN = "There is no such tool."
_TOO_MANY = "Not done: too many calls. Answer with what you have."
_CRASHED = ToolResult("This failed: a technical problem.", "", "failed")


class Calling:
    """The tools of one answer. What was done once is not done again: the same call gets the same result."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._results: dict[Key, ToolResult] = {}
        self._count = 0
        self._ends: list[Any] = []
        self._is_cancelled = False
        self._lock = threading.Lock()

    def plan(self, calls: Sequence[ToolCall]) -> Round:
        """What to do about these calls: every one gets a result, and only those in `todo` have anything done."""
        todo: dict[Key, Work] = {}
        lines: list[str] = []
        keys = []
        for call in calls:
            key, work = self._prepared(call, len(todo))
            keys.append(key)
            if work is None or key in todo:
                continue
            todo[key] = work
            line = self._tools[call.name].doing
            lines += [line] if line and line not in lines else []
        self._count += len(todo)
        return Round(keys, todo, lines)

    def do(self, planned: Round, *, deadline: float) -> list[ToolResult]:
        """The results of a round in its order; `deadline` as in `time.monotonic()`."""
        workers = [
            threading.Thread(target=self._do, args=(key, work, deadline), name="vexar-tool", daemon=True)
            for key, work in planned.todo.items()
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return [self._results[key] for key in planned.keys]

    def cancel(self) -> None:
        """End what is going on, from any thread, and begin nothing more."""
        with self._lock:
            self._is_cancelled = True
            ends, self._ends = self._ends, []
        for end in ends:
            end.cancel()

    def _prepared(self, call: ToolCall, begun: int) -> tuple[Key, Work | None]:
        """The name of its result, and what brings it; None where there is nothing to do."""
        tool = self._tools.get(call.name)
        if tool is None:
            return self._refused(call, ToolResult(_UNKNOWN, "", "unknown"))
        try:
            params = tool.read(call.arguments)
        except ValueError as problem:
            return self._refused(call, ToolResult(f"Not done: {problem}.", "", "bad_arguments"))
        # By what was understood: the same call may be written in several ways.
        key = (call.name, repr(params))
        if key in self._results:
            return key, None
        if begun >= MAX_AT_ONCE or self._count + begun >= MAX_PER_ANSWER:
            return self._refused(call, ToolResult(_TOO_MANY, "", "too_many"))
        return key, partial(tool.call, params)

    def _refused(self, call: ToolCall, result: ToolResult) -> tuple[Key, None]:
        key = (call.id, call.name)
        self._results[key] = result
        return key, None

    def _do(self, key: Key, work: Work, deadline: float) -> None:
        try:
            self._results[key] = _CRASHED if self._is_cancelled else work(deadline=deadline, watch=self._watch)
        except Exception:
            log.exception("a tool crashed")
            self._results[key] = _CRASHED

    def _watch(self, call: Any) -> None:
        with self._lock:
            if not self._is_cancelled:
                self._ends.append(call)
                return
        call.cancel()


class Round:
    """The calls of one round: `keys` in their order, `todo` {key: what does it}, `lines` for the visitor."""

    def __init__(self, keys: list[Key], todo: dict[Key, Work], lines: list[str]) -> None:
        self.keys = keys
        self.todo = todo
        self.lines = lines
