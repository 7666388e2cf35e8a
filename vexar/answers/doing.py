"""What a visitor reads while its site's own data is asked for, in the languages of the widget."""

from __future__ import annotations

KEYS = ("products", "availability", "order", "account")
_LINES: dict[str, tuple[str, ...]] = {
    "en": ("Looking for products", "Checking availability", "Looking up your order", "Looking up your account"),
    "de": ("Ich suche Produkte", "Ich prüfe die Verfügbarkeit", "Ich sehe nach Ihrer Bestellung",
           "Ich sehe in Ihrem Konto nach"),
    "fr": ("Recherche de produits", "Vérification de la disponibilité", "Recherche de votre commande",
           "Consultation de votre compte"),
    "es": ("Buscando productos", "Comprobando la disponibilidad", "Consultando su pedido", "Consultando su cuenta"),
    "pt": ("A procurar produtos", "A verificar a disponibilidade", "A consultar a sua encomenda",
           "A consultar a sua conta"),
    "it": ("Cerco i prodotti", "Verifico la disponibilità", "Cerco il suo ordine", "Consulto il suo account"),
    "nl": ("Producten zoeken", "Beschikbaarheid controleren", "Uw bestelling opzoeken", "Uw account opzoeken"),
    "pl": ("Szukam produktów", "Sprawdzam dostępność", "Sprawdzam zamówienie", "Sprawdzam konto"),
    "uk": ("Шукаю товари", "Перевіряю наявність", "Шукаю ваше замовлення", "Переглядаю ваш обліковий запис"),
    "tr": ("Ürünler aranıyor", "Stok durumu kontrol ediliyor", "Siparişiniz sorgulanıyor", "Hesabınız sorgulanıyor"),
    "ar": ("جارٍ البحث عن المنتجات", "جارٍ التحقق من التوفر", "جارٍ البحث عن طلبك", "جارٍ الاطلاع على حسابك"),
    "he": ("מחפש מוצרים", "בודק זמינות", "מחפש את ההזמנה שלכם", "בודק בחשבון שלכם"),
    "zh": ("正在查找商品", "正在查询库存", "正在查询您的订单", "正在查询您的账户"),
    "ja": ("商品を探しています", "在庫を確認しています", "ご注文を確認しています", "アカウントを確認しています"),
}  # fmt: skip


def doing(key: str, lang: str) -> str:
    """The line for one of KEYS (BCP 47; unknown languages get English)."""
    lines = _LINES.get(lang.replace("_", "-").split("-")[0].lower(), _LINES["en"])
    return lines[KEYS.index(key)]
