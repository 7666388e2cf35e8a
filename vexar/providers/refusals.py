"""What an upstream's refusal means: whether asking again can help, when, and whether it is about the tools."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from vexar.errors import ProviderError
from vexar.outbound.fetch import Call

TOOLS_REFUSED = (400, 422)
MAX_REFUSAL_BYTES = 8_192


def refuses_tools(call: Call) -> bool:
    """Whether a refusal is about the tools: no other 400 is worth asking again."""
    if call.status not in TOOLS_REFUSED:
        return False
    said = b""
    while len(said) < MAX_REFUSAL_BYTES and (data := call.read()):
        said += data
    return b"tool" in said.lower()


def refusal(status: int) -> ProviderError:
    """The error of a status other than 200."""
    if status == 429 or status >= 500:
        return ProviderError("upstream_unavailable", f"status {status}")
    return ProviderError("upstream_rejected", f"status {status}", permanent=True)


def retry_after_s(value: str | None) -> float | None:
    """Seconds to wait as a Retry-After header names them, in seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    if value and re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
