"""Whether a message asks several things, and which."""

from __future__ import annotations

import re

from vexar.knowledge import text
from vexar.knowledge.sentences import sentences
from vexar.providers.smalltalk import small_talk

MAX_QUESTIONS = 3
_QUESTION_MARK = re.compile(r"[?？؟]")
# "and" before a word that begins a question: "how much is it and can I return it?"
_AND = re.compile(
    r"[,;]?\s+(?:and (?:also )?(?=(?:how|what|when|where|who|which|why|do|does|can|could|is|are|will) )"
    r"|und (?:auch )?(?=(?:wie|was|wann|wo|wer|welche\w?|warum|kann|können|gibt|ist|sind|habt|haben) "
    # A verb before its subject asks; a noun, written with a capital, does not.
    r"|(?!(?:wenn|falls|dass|ob|weil|als|bis|damit|sobald|nachdem|bevor) )"
    r"(?-i:[a-zäöüß]{3,} )(?:sie|ihr|du|man|ich|wir|es) )"
    r"|et (?:aussi )?(?=(?:comment|quel\w*|combien|quand|où|pourquoi|puis-je|peut-on|est-ce|"
    r"[a-zà-ÿ]+-(?:vous|tu|je|on|il|elle)) )"
    r"|y (?:también )?(?=(?:cómo|como|cuánto|cuanto|cuándo|cuando|dónde|donde|qué|cuál|puedo|tienen|hay) )"
    r"|(?:і|й|та) (?:також )?(?=(?:як|скільки|коли|де|хто|чи|чому|можна) ))", re.IGNORECASE)


def questions(message: str) -> list[str]:
    """The questions of a message, each to be answered by itself; one element (the message) when it is one."""
    said = sentences(message)
    asking = [sentence for sentence in said if _QUESTION_MARK.search(sentence)]
    found = [part.strip() for sentence in asking for part in _AND.split(sentence) if _has_matter(part)]
    # Statements around them ("I bought a kettle.") carry what a question leans on.
    if len(found) < 2 or len(found) > MAX_QUESTIONS or any(
            _has_matter(one) and not small_talk(one) for one in said if one not in asking):
        return [message]
    return found


def _has_matter(sentence: str) -> bool:
    lang = text.detect(sentence)
    return any(not text.is_little(word, lang) for word in text.words(sentence))
