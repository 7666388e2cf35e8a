"""Entries in other languages are found by questions in other forms of their words, with and without accents."""

from __future__ import annotations

import itertools

import pytest

from tests.knowledge import faq, make_site
from vexar.knowledge.entries import Entry
from vexar.knowledge.index import add_entries
from vexar.knowledge.search import search
from vexar.store import open_store

# By language: what the shop knows, as (question, answer); the last one is a page.
KNOWN = {
    "de": [("Wie lange dauert die Lieferung?", "Zwei bis vier Werktage."),
           ("Kann ich einen Artikel zurückgeben?", "Ja, innerhalb von 45 Tagen."),
           ("Welche Zahlungsarten gibt es?", "Karte, PayPal und Rechnung."),
           ("Größenberatung", "Unsere Pullover fallen groß aus. Die Ärmel messen 62 Zentimeter.")],
    "fr": [("Combien coûte la livraison ?", "Six euros."),
           ("Puis-je échanger un article ?", "Oui, pendant 45 jours."),
           ("Quels moyens de paiement acceptez-vous ?", "Carte et PayPal."),
           ("Entretien", "Lavez nos écharpes à la main et séchez-les à plat.")],
    "es": [("¿Cuánto tarda el envío?", "De tres a cinco días."),
           ("¿Puedo devolver un artículo?", "Sí, durante 45 días."),
           ("¿Qué métodos de pago aceptan?", "Tarjeta y PayPal."),
           ("Garantía", "Las lámparas tienen una garantía de dos años.")],
    "uk": [("Скільки коштує доставка?", "Сто гривень."),
           ("Як повернути товар?", "Протягом 45 днів."),
           ("Які способи оплати є?", "Картка та готівка."),
           ("Догляд", "Вовняні светри перуть руками у холодній воді.")],
    "ar": [("كم تكلفة الشحن؟", "عشرون ريالًا."),
           ("هل يمكنني إرجاع المنتج؟", "نعم، خلال 45 يومًا."),
           ("ما هي طرق الدفع؟", "البطاقة والدفع عند الاستلام."),
           ("العناية", "اغسل القمصان القطنية بالماء البارد.")],
    "zh": [("运费是多少？", "十元。"), ("可以退货吗？", "可以，四十五天之内。"),
           ("支持哪些付款方式？", "银行卡和支付宝。"), ("保养", "羊毛衫请用冷水手洗，平铺晾干。")],
    "ja": [("送料はいくらですか。", "六百円です。"), ("返品できますか。", "はい、四十五日以内です。"),
           ("支払い方法は何がありますか。", "カードと代引きです。"),
           ("お手入れ", "セーターは冷水で手洗いしてください。")],
}  # fmt: skip
ASKED = [
    ("de", "Lieferungen dauern wie lange", 0), ("de", "lieferzeit, wie lange dauert eure lieferung", 0),
    ("de", "kann ich artikel zuruckgeben", 1), ("de", "Artikeln zurückgeben", 1), ("de", "ZAHLUNGSART", 2),
    ("de", "groesse der pullover", 3), ("de", "Ärmeln", 3), ("de", "armel zentimeter", 3),
    ("de", "Lieferdauer", 0), ("de", "Zahlungsmöglichkeiten", 2), ("de", "welche arten der bezahlung", 2),
    ("fr", "combien coute la livraison", 0), ("fr", "coût des livraisons", 0), ("fr", "echanger des articles", 1),
    ("fr", "article échangé", 1), ("fr", "paiements acceptes", 2), ("fr", "laver une echarpe", 3),
    ("es", "cuanto tardan los envios", 0), ("es", "devolver articulos", 1), ("es", "articulo devuelto devolver", 1),
    ("es", "metodo de pago", 2), ("es", "garantia de la lampara", 3),
    ("uk", "вартість доставки", 0), ("uk", "скільки за доставку", 0), ("uk", "повернення товарів", 1),
    ("uk", "оплату якими способами", 2), ("uk", "як прати вовняний светр", 3),
    ("ar", "تكلفة الشحن", 0), ("ar", "كَم تَكلِفَة الشَّحْن", 0), ("ar", "ارجاع المنتجات", 1), ("ar", "طريقة الدفع", 2),
    ("ar", "غسل القميص القطني", 3),
    ("zh", "请问运费多少", 0), ("zh", "我想退货", 1), ("zh", "怎么付款", 2), ("zh", "羊毛衫怎么洗", 3),
    ("ja", "カナダへの送料", 0), ("ja", "返品したい", 1), ("ja", "支払いの方法", 2), ("ja", "ｾｰﾀｰの手洗い", 3),
    # Compounds and capitals, particles that cling to words, traditional signs, full and half width.
    ("de", "Rückgabe eines Artikels", 1), ("de", "Wollpullover Größen", 3), ("de", "zurückgegebene Artikel", 1),
    ("de", "Wie lange dauert der Versand", 0),
    ("fr", "échange d'articles", 1), ("fr", "l'article peut-il être échangé", 1), ("fr", "ÉCHARPE", 3),
    ("fr", "j'ai lavé mes echarpes", 3), ("fr", "frais de livraison", 0),
    ("es", "devolución de artículos", 1), ("es", "devolverlo", 1), ("es", "pagar con tarjetas", 2),
    ("es", "lamparas garantizadas", 3), ("es", "tardanza del envio", 0),
    ("uk", "скільки коштують доставки", 0), ("uk", "чи можна повернути товари", 1), ("uk", "карткою", 2),
    ("uk", "прання вовняних светрів", 3), ("uk", "СВЕТР", 3),
    ("ar", "وتكلفة شحن", 0), ("ar", "للشحن تكلفة", 0), ("ar", "بكم الشحن", 0), ("ar", "والدفع بالبطاقة", 2),
    ("ar", "إرجاع منتج", 1), ("ar", "القُمصان القُطنيّة", 3),
    ("zh", "運費是多少", 0), ("zh", "可以退貨嗎", 1), ("zh", "羊毛衫怎樣清洗", 3), ("zh", "ＰａｙＰａｌ 付款方式", 2),
    ("ja", "お支払い", 2), ("ja", "返品は出来ますか", 1), ("ja", "クレジットカードで支払い", 2), ("ja", "ｶｰﾄﾞ", 2),
    ("ja", "セーターを洗う", 3),
]  # fmt: skip


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """A store, and for each language a site with the ids of what it knows."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('languages')}/vexar.db")
    keys = (f"sk_{number}" for number in itertools.count())
    made = {}
    for lang, known in KNOWN.items():
        site = make_site(store, next(keys))
        entries = [*itertools.starmap(faq, known[:-1]), Entry("page", known[-1][0], "", known[-1][1])]
        made[lang] = site, add_entries(store, site.id, entries, lang)
        search(store, site.id, "warm")
    yield store, made
    store.close()


@pytest.mark.parametrize(("lang", "question", "place"), ASKED)
def test_an_inflected_or_unaccented_question_finds_its_entry(shops, lang, question, place):
    store, made = shops
    site, ids = made[lang]
    for given in (lang, ""):
        passages = search(store, site.id, question, lang=given).passages
        assert passages
        assert passages[0].entry_id == ids[place]
