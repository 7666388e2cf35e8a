"""The sentences of a text that answer a question, word for word; none twice, and no title above them."""

from __future__ import annotations

import re
from collections import Counter

from vexar.knowledge import text
from vexar.knowledge.sentences import spans
from vexar.knowledge.synonyms import synonyms

# A faq's content is an answer; of a longer one, and of a page, only the sentences that answer are said.
WHOLE_CHARS, PART_CHARS = 600, 480
MAX_SENTENCES, MAX_WHOLE_SENTENCES = 3, 4
LITTLE_WEIGHT, SYNONYM_WEIGHT = 0.2, 0.6
# Who asks for a price is answered by a sum; worth as much as a word that one sentence alone holds.
SUM_WEIGHT = 0.5
_ASKS_PRICE = re.compile(
    r"\b(?:how much(?! time)|costs?|pric\w+|fees?|was kostet|kosten|wie ?viel(?! zeit)|preise?|gebühr\w*|coûte\w*|prix|"
    r"combien(?! de temps)|tarifs?|cu[aá]nto(?! tiempo)|cuesta\w*|precios?|quanto(?! tempo)|costa|custa\w*|preço\w*|"
    r"prezz[oi]|hoeveel(?! tijd)|kost|prijs|kosztuj\w+|cena|кошту\w+|ціна|стоит|цена|"
    r"kostar|koster|pris|ne kadar|fiyat\w*)\b|بكم|سعر|تكلفة|כמה עולה|מחיר|多少钱|价格|运费|费用|いくら|料金|"
    r"送料|値段|얼마|가격", re.IGNORECASE)
_SUM = re.compile(
    r"[$€£¥₴₽₺₪₩]|\d\s*(?:%|eur|usd|gbp|chf|pln|zł|kr|dollar|pound|грн|руб|гривень|ريال|درهم|دولار|שקל|元|円|원)|"
    r"\b(?:free|kostenlos|gratis|gratuit\w*|gratuita|бесплатно|безкоштовн\w+|ücretsiz|bezpłatn\w+)\b|مجاني|חינם|免费|無料|무료",
    re.IGNORECASE)
# What the title says, every sentence below it is about: it tells little of which one answers.
TITLE_WEIGHT = 0.4
# A sentence that begins so is understood by the one before it.
_LEANS = re.compile(
    r"(?:it|its|they|their|this|that|these|those|he|she|both|then|otherwise|also|"
    r"er|es|dies|diese|dieser|dieses|das|dabei|dafür|dazu|damit|sonst|danach|"
    r"il|elle|ils|elles|cela|ceci|ça|esto|eso|ello|questo|ciò|isto|isso|dat|dit|deze|"
    r"це|вона|воно|він|вони|это|он|она|они)\b|それ|これ|その|この|它|这|该", re.IGNORECASE)
_STOP = re.compile(r"[.!?…؟।。！？]")
MIN_REPEATED_WORDS = 3
# Between the words of a page's name and the site's.
_BETWEEN_NAMES = re.compile(r"\s+[-–—|·:»]\s+")


def answering_part(content: str, question: str, lang: str = "", *, whole_chars: int = WHOLE_CHARS,
                   most_chars: int = WHOLE_CHARS, most_sentences: int = 0, title: str = "") -> str:
    """Neighbouring sentences that share most with the question; all of a text up to `whole_chars`.

    `most_sentences`: more of them are no whole, however short (0: any number). `title`: what stands above the text.
    """
    content = content.strip()
    found = _without_title(content, _said_once(content, spans(content)), title)
    if len(content) <= whole_chars and (not most_sentences or len(found) <= most_sentences):
        return _joined(content, found)
    said = [content[begin:end] for begin, end in found]
    first = _best_start(said, question, text.language(lang), content, title)
    last = first + MAX_SENTENCES
    if first and _LEANS.match(said[first]):
        first -= 1
    kept = found[first:first + 1]
    for sentence in found[first + 1:last]:
        if len(_joined(content, [*kept, sentence])) > most_chars:
            break
        kept.append(sentence)
    quoted = _joined(content, kept)
    return quoted if len(quoted) <= most_chars else quoted[:most_chars - 1].rpartition(" ")[0] + "…"


def _said_once(content: str, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without the sentences that stood there before: pages repeat banners, footers, the same offer in every part."""
    seen: list[tuple[str, ...]] = []
    kept = []
    for begin, end in found:
        words = tuple(text.words(content[begin:end]))
        # A short line may stand in many places ("9-18 h" below each day), but not twice at once.
        is_sentence = len(words) >= MIN_REPEATED_WORDS and _STOP.match(content[end - 1])
        if words and words in (seen if is_sentence else seen[-1:]):
            continue
        seen.append(words)
        kept.append((begin, end))
    return kept


def _without_title(content: str, found: list[tuple[int, int]], title: str) -> list[tuple[int, int]]:
    """The same without lines that are the title again; all of them where nothing else is said."""
    names = [tuple(text.words(name)) for line in title.split("\n") for name in (line, *_BETWEEN_NAMES.split(line))]
    left = [(begin, end) for begin, end in found
            if not (words := tuple(text.words(content[begin:end]))) or words not in names]
    return left or found


def _joined(content: str, found: list[tuple[int, int]]) -> str:
    """These sentences with what stands between neighbours; where one was left out, with what stood before it."""
    parts = []
    for place, (begin, end) in enumerate(found):
        gap = len(content[:begin].rstrip())
        parts.append(content[gap if place else begin:end])
    return "".join(parts)


def _best_start(sentences: list[str], question: str, lang: str, content: str, title: str) -> int:
    spoken = text.detect(content) or lang
    terms = [set(text.terms(sentence, spoken)) for sentence in sentences]
    common = Counter(term for each in terms for term in each)
    above = set(text.terms(title, spoken))
    asked = _asked(question, spoken)
    # What every sentence speaks of does not tell which one answers.
    worth = {term: weight * (TITLE_WEIGHT if term in above else 1) / (1 + common[term])
             for term, weight in asked.items() if term in common}
    sums = [bool(_SUM.search(sentence)) for sentence in sentences] if _ASKS_PRICE.search(question) else []
    best, most = 0, -1.0
    for at in range(len(sentences)):
        window = set().union(*terms[at:at + MAX_SENTENCES])
        # The first sentence of a window is where the answer should begin, so it counts more.
        shared = sum(weight * (2 * (term in terms[at]) + (term in window)) for term, weight in worth.items())
        if shared and sums:
            shared += SUM_WEIGHT * (2 * sums[at] + any(sums[at:at + MAX_SENTENCES]))
        if shared > most + 1e-9:
            best, most = at, shared
    return best


def _asked(question: str, lang: str) -> dict[str, float]:
    """The terms that a sentence may answer with, and what each is worth."""
    asked: dict[str, float] = {}
    words = text.words(question)
    for other in (other for word in words for other in synonyms(word, lang)):
        asked[text.stem(other, lang)] = SYNONYM_WEIGHT
    for word in words:
        asked[text.stem(word, lang)] = LITTLE_WEIGHT if text.is_little(word, lang) else 1.0
    return asked
