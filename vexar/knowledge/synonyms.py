"""Everyday words of the same meaning, by language, as shops and their visitors use them; each line is one meaning.

They bring an answer where the site does not use the visitor's word, and certainty where it does; never order.
"""

from __future__ import annotations

from functools import cache

_MEANINGS = {
    "en": "buy purchase order|cost price charge fee pricing|refund reimburse money-back|return exchange send-back|"
    "ship deliver shipping delivery dispatch postage|package parcel shipment|cancel stop terminate|"
    "phone telephone mobile cellphone|call ring|email mail e-mail|open opening hours|closed shut|shop store|"
    "pay payment|discount coupon voucher promo|cheap affordable inexpensive|fix repair mend|broken damaged defective "
    "faulty|change modify edit update amend|delete remove erase|account profile|login signin log-in sign-in|"
    "register signup sign-up|password passcode pin|help support assistance|contact reach|quick fast speedy|"
    "begin start|end finish|big large|small little tiny|car vehicle|lost missing|stolen theft|near close nearby|"
    "children kids|size sizing measurements|warranty guarantee|vacation holiday|bill invoice receipt|job career "
    "vacancy|address location|photo picture image|wash clean laundry|pickup collect|stock available availability|"
    "gift present|trial test|subscription membership plan|customer client|employee staff|doctor physician",
    "de": "kaufen bestellen erwerben|preis kosten gebühr kostet|versand lieferung zustellung versenden liefern|paket "
    "sendung päckchen|rückgabe retoure zurückgeben zurückschicken umtausch umtauschen|erstattung rückerstattung "
    "geld-zurück|stornieren kündigen abbestellen|telefon handy|anrufen telefonieren|email mail e-mail|geschäft laden "
    "filiale|bezahlen zahlung zahlen|rabatt gutschein|reparieren reparatur|kaputt defekt beschädigt|ändern bearbeiten|"
    "löschen entfernen|konto profil|anmelden einloggen login|passwort kennwort|hilfe unterstützung|schnell rasch|"
    "kinder kind|größe maße|garantie gewährleistung|urlaub ferien|rechnung beleg|stelle job|adresse anschrift|foto "
    "bild|waschen reinigen|abholen abholung|verfügbar vorrätig lieferbar|geschenk präsent|abo abonnement",
    "fr": "acheter commander|prix coût tarif coûter|livraison expédition envoi livrer expédier|colis paquet|retour "
    "retourner renvoyer échanger|remboursement rembourser|annuler résilier|téléphone portable|magasin boutique|payer "
    "paiement régler|réduction remise promo|réparer réparation|cassé défectueux abîmé|modifier changer|supprimer "
    "effacer|compte profil|mot-de-passe code|aide assistance|rapide vite|enfants enfant|taille dimensions|facture "
    "reçu|vacances congés|adresse lieu|photo image|laver nettoyer|disponible stock|cadeau présent",
    "es": "comprar pedir adquirir|precio coste costo cuesta tarifa|envío entrega enviar entregar|paquete pedido|"
    "devolución devolver cambiar|reembolso reembolsar|cancelar anular|teléfono móvil celular|tienda local|pagar pago|"
    "descuento cupón|reparar arreglar|roto defectuoso dañado|modificar cambiar|eliminar borrar|cuenta perfil|"
    "contraseña clave|ayuda asistencia|rápido pronto|niños niño|talla tamaño|factura recibo|vacaciones festivos|"
    "dirección ubicación|foto imagen|lavar limpiar|disponible stock|regalo obsequio|garantía cobertura",
    "uk": "купити замовити придбати|ціна вартість коштує|доставка відправка доставити|посилка пакунок|повернення "
    "повернути обмін обміняти|скасувати відмінити|телефон мобільний|магазин крамниця|оплата платити сплатити|знижка "
    "купон|ремонт полагодити|зламаний пошкоджений|змінити редагувати|видалити стерти|допомога підтримка|швидко "
    "скоро|діти дитина|розмір габарити|рахунок чек|адреса розташування|фото зображення|прати чистити|наявність "
    "доступний|подарунок дарунок|гарантія гарантійний",
    "ar": "سعر تكلفة ثمن|شحن توصيل|إرجاع استرجاع استبدال|شراء طلب|متجر محل|دفع سداد|خصم تخفيض|هدية هدايا",
    "zh": "价格 费用|退货 退换|快递 送货|商店 门店",
    "ja": "値段 価格 料金|配送 配達 発送|返品 返却|店舗 お店",
}


def synonyms(word: str, lang: str) -> frozenset[str]:
    """Other words of the same meaning; empty for most."""
    return _by_word(lang).get(word, frozenset()) - {word}


@cache
def _by_word(lang: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for meaning in _MEANINGS.get(lang, "").split("|"):
        group = frozenset(meaning.split())
        for word in group:
            found[word] = found.get(word, frozenset()) | group
    return found
