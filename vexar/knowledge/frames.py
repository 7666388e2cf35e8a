"""Whether an entry says yes or no, and to something else than was asked: "Do you sell tents?" is no "boats?".

A leaf: it compares terms. Who is told "Yes" of a thing that was not asked for believes it, so here words in common
are not enough.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from vexar.knowledge import text
from vexar.knowledge.kin import akin, is_end_of
from vexar.knowledge.typos import is_typo_of

# So many words at the begin, or pairs of characters at the end, make two questions the same but for what is asked.
FRAME_WORDS, DENSE_PAIRS = 2, 4
_YES_NO = re.compile(
    r"\W*(?:yes|no|yep|sure|of course|ja|nein|jawohl|natürlich|leider|oui|non|si|sí|claro|sim|não|nee|nej|tak|nie|так"
    r"|ні|да|нет|evet|hayır|نعم|لا|はい|いいえ|是的?|可以|不)(?!\w)|\W*(?:はい|いいえ|是的|可以|没有)", re.IGNORECASE)
_OPENERS = (
    "do does did can could is are was were will would have has may should kann können könnt könnte darf dürfen gibt "
    "haben habt hat ist sind puis peut peux peuvent puedo puede pueden hay posso pode podem può possono kun kan kunnen "
    "heeft hebben har finns czy чи можна")
_ENDS_ASKING = re.compile(r"(?:か|吗|嗎)[?？。\s]*\Z")
_ASKS_FOR_MORE = re.compile(r"何|いつ|どこ|どの|どう|いくら|誰|だれ|なぜ|什么|什麼|哪|怎|多少|几|幾")
# What an entry is about when it is about anything: "Can I return an item?" speaks of sweaters, too.
_ANYTHING = (
    "item items product products article articles good goods order orders purchase purchases merchandise artikel ware "
    "waren produkt produkte bestellung bestellungen article articles produit produits commande commandes artículo "
    "artículos producto productos pedido pedidos prodotto prodotti articolo articoli ordine produto produtos artigo "
    "artigos товар товари замовлення товары заказ 商品 产品 订单 注文")
OPENERS, ANYTHING = frozenset(_OPENERS.split()), frozenset(_ANYTHING.split())


def matter(question: str, content: str, lang: str) -> frozenset[str] | None:
    """The terms that carry a question which its entry answers with yes or no; None where it answers otherwise."""
    if not (_YES_NO.match(content) or _asks_yes_or_no(question)):
        return None
    return frozenset(text.stem(word, lang) for word in text.words(question)
                     if not text.is_little(word, lang) and word not in ANYTHING)


def is_same_frame(asked: str, known: str, lang: str) -> bool:
    """Whether two questions are put in the same words: they begin alike, or end alike where verbs come last."""
    mine, other = text.terms(asked, lang), text.terms(known, lang)
    if mine and text.is_dense(mine[-1]):
        return _common(reversed(mine), reversed(other)) >= DENSE_PAIRS
    return _common(mine, other) >= FRAME_WORDS


def is_met(terms: Iterable[str], held: Iterable[str], *, compounding: bool) -> bool:
    """Whether one of the terms is a form, a slip, a kin or a part of one that is held."""
    held = frozenset(held)
    return any(term in held or akin(term, held, compounding=compounding)
               or any(is_typo_of(term, other) or is_end_of(term, other) or is_end_of(other, term) for other in held)
               for term in terms)


def _common(mine: Iterable[str], other: Iterable[str]) -> int:
    pairs = zip(mine, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _asks_yes_or_no(question: str) -> bool:
    words = text.words(question)
    if words and text.is_dense(words[0]):
        return bool(_ENDS_ASKING.search(question)) and not _ASKS_FOR_MORE.search(question)
    return bool(words) and words[0] in OPENERS
