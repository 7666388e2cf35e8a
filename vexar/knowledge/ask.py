"""What would be retrieved and answered for a question: the tool with which a site checks its knowledge."""

from __future__ import annotations

from typing import Any

from vexar.errors import invalid
from vexar.knowledge.quoting import answering_part
from vexar.knowledge.search import search
from vexar.providers import Passage, Prompt
from vexar.providers.builtin import compose
from vexar.sites.settings import read_settings
from vexar.store import Store

MAX_QUESTION_CHARS, MAX_SOURCES, EXCERPT_CHARS = 4000, 50, 300


def ask(store: Store, site: Any, question: str, limit: int = 10, lang: str = "") -> dict[str, Any]:
    """The JSON of `knowledge/ask` for a site's row: answer, confidence and up to `limit` sources, best first.

    The sources come also when `answered` is false; `answer` is never empty. Raises ApiError `invalid`.
    """
    question = question.strip()
    if not question or len(question) > MAX_QUESTION_CHARS:
        raise invalid(question=f"Write a question of 1 to {MAX_QUESTION_CHARS} characters.")
    if not 1 <= limit <= MAX_SOURCES:
        raise invalid(limit=f"Must be from 1 to {MAX_SOURCES}.")
    found = search(store, site.id, question, lang=lang, limit=limit)
    threshold = read_settings(site.settings).answer_threshold or found.threshold
    prompt = Prompt(question, lang=lang, passages=found.passages, confidence=found.confidence,
                    threshold=threshold, site_name=site.name, parts=found.parts)
    return {
        "success": True,
        "question": question,
        "answered": bool(found.passages) and found.confidence >= threshold,
        "confidence": found.confidence,
        "threshold": threshold,
        "answer": compose(prompt)[0],
        "sources": [_source(passage, question, lang) for passage in found.passages],
    }


def _source(passage: Passage, question: str, lang: str) -> dict[str, Any]:
    return {
        "knowledge_id": passage.entry_id,
        "type": passage.type,
        "title": passage.cited_as if passage.heading else passage.title,
        "question": passage.question,
        "url": passage.url,
        "excerpt": answering_part(passage.content, question, lang, whole_chars=EXCERPT_CHARS, most_chars=EXCERPT_CHARS),
        "score": passage.score,
    }
