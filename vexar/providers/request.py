"""The request that an OpenAI-compatible endpoint gets: prompt, image, tools, and what tools came to."""

from __future__ import annotations

import base64
import json
import logging
import mimetypes
from pathlib import Path

from vexar.providers import Prompt, Tool, ToolResult
from vexar.providers.calls import ToolCall

log = logging.getLogger("vexar.providers.openai")


def request_body(prompt: Prompt, model: str, more: list[dict], tools: list[Tool], may_call: bool) -> bytes:
    """The JSON of a request; `more`: messages behind the question, such as call_messages; `may_call`: whether tools
    may be called once more, or are only named because earlier calls of them are."""
    messages = [{"role": "system", "content": prompt.system}] if prompt.system else []
    messages += [{"role": turn.role, "content": turn.content} for turn in prompt.history]
    messages.append({"role": "user", "content": _question(prompt)})
    messages += more
    request = {"messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    if tools:
        request["tools"] = [
            {"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.parameters,
            }}
            for tool in tools
        ]
        request |= {} if may_call else {"tool_choice": "none"}
    if model:
        request["model"] = model
    return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()


def call_messages(text: str, calls: list[ToolCall], results: list[ToolResult]) -> list[dict]:
    """The messages that tell a model what its calls came to; `text`: what it had said before them."""
    called = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
        for call in calls
    ]
    answers = [
        {"role": "tool", "tool_call_id": call.id, "content": result.told}
        for call, result in zip(calls, results, strict=True)
    ]
    return [{"role": "assistant", "content": text or None, "tool_calls": called}, *answers]


def _question(prompt: Prompt) -> str | list[dict]:
    image = _data_url(prompt.image_path) if prompt.image_path else ""
    if not image:
        return prompt.question
    text = [{"type": "text", "text": prompt.question}] if prompt.question else []
    return [*text, {"type": "image_url", "image_url": {"url": image}}]


def _data_url(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        log.warning("an image is missing, the question is asked without it (%s)", type(problem).__name__)
        return ""
    media_type = mimetypes.guess_type(path)[0] or "image/jpeg"
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
