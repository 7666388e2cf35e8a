"""The sentences of a text that answer a question, word for word."""

from __future__ import annotations

from collections import Counter

from vexar.knowledge import text
from vexar.knowledge.sentences import spans

# A faq's content is an answer; of a longer one, and of a page, only the sentences that answer are said.
WHOLE_CHARS, PART_CHARS = 700, 480
MAX_SENTENCES = 3
LITTLE_WEIGHT = 0.2


def answering_part(content: str, question: str, lang: str = "", *, whole_chars: int = WHOLE_CHARS,
                   most_chars: int = WHOLE_CHARS) -> str:
    """Neighbouring sentences that share most with the question; all of a text up to `whole_chars`."""
    content = content.strip()
    if len(content) <= whole_chars:
        return content
    found = spans(content)
    best = _best_start([content[begin:end] for begin, end in found], question, text.language(lang), content)
    begin, end = found[best]
    for _, later in found[best + 1:best + MAX_SENTENCES]:
        if later - begin > most_chars:
            break
        end = later
    if end - begin <= most_chars:
        return content[begin:end]
    return content[begin:begin + most_chars - 1].rpartition(" ")[0] + "…"


def _best_start(sentences: list[str], question: str, lang: str, content: str) -> int:
    spoken = text.detect(content) or lang
    terms = [set(text.terms(sentence, spoken)) for sentence in sentences]
    common = Counter(term for each in terms for term in each)
    asked = {text.stem(word, spoken): LITTLE_WEIGHT if text.is_little(word, spoken) else 1.0
             for word in text.words(question)}
    # What every sentence speaks of does not tell which one answers.
    worth = {term: weight / (1 + common[term]) for term, weight in asked.items() if term in common}
    best, most = 0, -1.0
    for at in range(len(sentences)):
        window = set().union(*terms[at:at + MAX_SENTENCES])
        # The first sentence of a window is where the answer should begin, so it counts more.
        shared = sum(weight * (2 * (term in terms[at]) + (term in window)) for term, weight in worth.items())
        if shared > most + 1e-9:
            best, most = at, shared
    return best
