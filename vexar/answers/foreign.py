"""Other people's words in a prompt: pages, titles, addresses, data of other servers, what visitors and operators wrote.

They are data. Nothing here judges them true; it takes care that they cannot pass for the words of the house.
"""

from __future__ import annotations

import re
import secrets

# What a reader does not see and a model does: tag characters, selectors, bidi controls, zero-width spaces, control
# characters. Joiners stay, which Persian, Indic scripts and emoji need, and so does the selector of emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Of these, what hardly any honest page holds: text in tags, and text that is read in another order than written.
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
# Servers of open models read these as the ends and beginnings of turns wherever they stand.
_TURNS = (
    (re.compile(r"<(?=[|｜])"), "< "),
    (re.compile(r"(?<=[|｜])>"), " >"),
    (re.compile(r"<(?=/?(?:s|bos|eos|pad|unk|system|user|assistant|human|think|tools?|(?:start|end|begin)_of_\w+|"
                r"tool_\w+|function_\w+|im_\w+)>)", re.IGNORECASE), "< "),
    (re.compile(r"<(?=</?SYS>>)", re.IGNORECASE), "< "),
    (re.compile(r"\[(/?[A-Z][A-Z_]{2,30})\]"), r"[ \1 ]"),
)
_NUMBERED = re.compile(r"\[(\^?\d{1,3})\]|【(\d{1,3})[^】\n]{0,60}】")
# The usual wordings of an order to a model. A text with one is still shown to it, as data; it lends no links.
# No part of it goes on without a bound: a text may be written so that it is tried anew at every place.
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|any|your|the|these)\b"
    r".{0,40}\b(?:instruction|prompt|rule|direction|command|guideline)"
    r"|\b(?:system|developer) (?:prompt|message|override|instruction|note)|\bnew (?:instructions|rules|task)\b"
    r"|\byou (?:are now|must now|will now)\b|\b(?:ai|assistant|chat ?bot|language model|llm)s? (?:must|should|shall|"
    r"has to|have to|reading)\b|\b(?:to|for|attention|dear) (?:the |all |any )?(?:ai|assistant|chat ?bot|llm|"
    r"language model)s?\b|^[ \t]*[\"'*#\[]*(?:system|assistant|developer)\b[\]\"'*]*\s*:|\"role\"\s*:\s*\"|"
    r"\"tool_calls\"|request_operator|\b(?:reply|respond|answer|end|say|print|output|append|include)\b.{0,30}\b(?:only|every|each|"
    r"exactly|always)\b.{0,60}(?:https?:|www\.|!?\[)|!\[[^\]]{0,200}\]\([^)?&=]{0,500}[?&=]"
    r"|\b(?:ignorier|vergiss|missachte).{0,40}\b(?:anweisung|regel|vorgabe|instruktion)"
    r"|\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}\b(?:instruction|consigne|règle)"
    r"|\b(?:ignora|olvida|ignore|esqueça|dimentica)\b.{0,40}\b(?:instruccion|instruç|istruzion|regla|regra|regol)"
    r"|(?:ігноруй|забудь|игнорируй).{0,40}(?:інструкц|инструкц|правил)|(?:忽略|无视|無視).{0,20}(?:指令|指示|说明|提示)"
    r"|(?:تجاهل|انس).{0,40}(?:تعليمات|التعليمات|الأوامر)|(?:指示|命令).{0,10}(?:無視|忘れ)"
    r"|[A-Za-z0-9+/]{80,}={0,2}",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)


def quoted(text: str, what: str) -> str:
    """Foreign text between two marks that nobody could know when it was written; `what` names it, in our words."""
    mark = secrets.token_hex(8)
    return f"-----BEGIN {what} {mark}-----\n{defused(text)}\n-----END {what} {mark}-----"


def defused(text: str) -> str:
    """The text without what only a model reads: unseen characters, and the marks of turns (a space breaks them)."""
    text = _UNSEEN.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n"))
    for turn, harmless in _TURNS:
        text = turn.sub(harmless, text)
    return text


def unnumbered(text: str) -> str:
    """The text without numbers in brackets, which could pass for those of our own passages."""
    return _NUMBERED.sub(lambda found: f"({found[1] or found[2]})", text)


def gives_orders(text: str) -> bool:
    """Whether a text looks as if it spoke to a model. A guess: it costs a text its links and nothing else."""
    return any(found.search(text) for found in (_HIDDEN, _ORDERS, *(turn for turn, _ in _TURNS[:-1])))
