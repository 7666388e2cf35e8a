"""Everyday words of the same meaning, by language, as shops and their visitors use them; each line is one meaning.

They bring an answer where the site does not use the visitor's word, and certainty where it does; never order.
"""

from __future__ import annotations

from functools import cache

_MEANINGS = {
    "en": "buy purchase order|cost costs price prices charge fee pricing|refund reimburse money-back|return returns "
    "returning exchange send-back|ship deliver shipping delivery dispatch postage deliveries|hire hiring rent "
    "rental renting rentals|puncture flat punctured|package parcel shipment|cancel stop terminate|phone telephone "
    "mobile cellphone|call ring|email mail e-mail|open opening hours close closing closed shut|amex american|shop "
    "store|pay payment|discount coupon voucher promo|cheap affordable inexpensive|fix repair mend|broken damaged "
    "defective faulty|change modify edit update amend|delete remove erase|account profile|login signin log-in "
    "sign-in|register signup sign-up|password passcode pin|help support assistance|contact reach|quick fast speedy|"
    "begin start|end finish|big large|small little tiny|car vehicle|lost missing|stolen theft|near close nearby|"
    "children kids|size sizing measurements|warranty guarantee guaranteed guarantees warranties|vacation holiday|"
    "bill invoice receipt|job jobs career careers vacancy hiring|address location located directions|photo picture "
    "image|wash clean laundry|pickup collect|stock available availability|gift gifts present presents giftwrap|pet "
    "pets dog dogs cat cats animal animals|card cards visa mastercard amex|voucher gift-card|trial test|"
    "subscription membership plan|customer client|employee staff|doctor physician",
    "de": "kaufen bestellen erwerben|preis preise kosten gebühr kostet|versand lieferung zustellung versenden "
    "liefern liefert verschicken verschickt bringen bringt|mieten leihen ausleihen verleih miete vermieten|geöffnet "
    "öffnungszeiten offen öffnet geschlossen schließt schließen|hund hunde haustier haustiere tiere|kreditkarte "
    "kreditkarten visa mastercard|platten reifenpanne panne|gültig gültigkeit gelten gilt|paket sendung päckchen|"
    "rückgabe retoure zurückgeben zurückschicken umtausch umtauschen|erstattung rückerstattung geld-zurück|"
    "stornieren kündigen abbestellen|telefon handy|anrufen telefonieren|email mail e-mail|geschäft laden filiale|"
    "bezahlen zahlung zahlen|rabatt gutschein|reparieren reparatur|kaputt defekt beschädigt|ändern bearbeiten|"
    "löschen entfernen|konto profil|anmelden einloggen login|passwort kennwort|hilfe unterstützung|schnell rasch|"
    "kinder kind|größe maße|garantie gewährleistung garantiert|urlaub ferien|rechnung beleg|stelle job|adresse "
    "anschrift|foto bild|waschen reinigen|abholen abholung|verfügbar vorrätig lieferbar|geschenk präsent|abo "
    "abonnement",
    "fr": "acheter commander|prix coût tarif coûter coûte coûtent|livraison expédition envoi livrer expédier livrez "
    "envoyer envoyez|louer location|ouvert ouverture horaires fermé fermez fermeture ouvrez ouverts|chien chiens "
    "animaux animal|garantie garanti garantis|crevaison crevé|carte visa mastercard|colis paquet|retour retourner "
    "renvoyer échanger|remboursement rembourser|annuler résilier|téléphone portable|magasin boutique|payer paiement "
    "régler|réduction remise promo|réparer réparation|cassé défectueux abîmé|modifier changer|supprimer effacer|"
    "compte profil|mot-de-passe code|aide assistance|rapide vite|enfants enfant|taille dimensions|facture reçu|"
    "vacances congés|adresse lieu|photo image|laver nettoyer|disponible stock|cadeau présent",
    "es": "comprar pedir adquirir|precio coste costo cuesta tarifa|envío entrega enviar entregar|paquete pedido|"
    "devolución devoluciones devolver cambiar|alquilar alquiler|abierto abren abierta horario horarios cerrado "
    "cierran cierra abrir cerrar|perro perros mascota mascotas animales|tarjeta visa mastercard|pinchazo pinchada|"
    "reembolso reembolsar|cancelar anular|teléfono móvil celular|tienda local|pagar pago|descuento cupón|reparar "
    "arreglar|roto defectuoso dañado|modificar cambiar|eliminar borrar|cuenta perfil|contraseña clave|ayuda "
    "asistencia|rápido pronto|niños niño|talla tamaño|factura recibo|vacaciones festivos|dirección ubicación|foto "
    "imagen|lavar limpiar|disponible stock|regalo obsequio|garantía cobertura garantizado",
    "uk": "купити замовити придбати|ціна вартість коштує|доставка відправка доставити|посилка пакунок|повернення "
    "повернути обмін обміняти|скасувати відмінити|телефон мобільний|магазин крамниця|оплата платити сплатити|знижка "
    "купон|ремонт полагодити|зламаний пошкоджений|змінити редагувати|видалити стерти|допомога підтримка|швидко "
    "скоро|діти дитина|розмір габарити|рахунок чек|адреса розташування|фото зображення|прати чистити|наявність "
    "доступний|подарунок дарунок|гарантія гарантійний",
    "ar": "سعر تكلفة ثمن|شحن توصيل|إرجاع استرجاع استبدال|شراء طلب|متجر محل|دفع سداد|خصم تخفيض|هدية هدايا",
    "zh": "价格 费用|退货 退换|快递 送货|商店 门店",
    # Of Chinese and Japanese, pairs of characters: the beginning of a word that tells it from others.
    "ja": "値段 価格 料金|配送 配達 発送 送っ 送れ 送る|返品 返却 返せ 返し 返す|店舗 お店|営業 閉ま 閉店 開店 何時|"
    "プレ ギフ|ペイ paypay|支払 払え 払い 払う 決済|犬 ペッ 愛犬|場所 住所",
}


def synonyms(word: str, lang: str) -> frozenset[str]:
    """Other words of the same meaning; empty for most."""
    return _by_word(lang).get(word, frozenset()) - {word}


@cache
def _by_word(lang: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for meaning in _MEANINGS.get(lang, "").split("|"):
        # As words are folded: "schließt" is asked for as "schliesst".
        group = frozenset(meaning.casefold().split())
        for word in group:
            found[word] = found.get(word, frozenset()) | group
    return found
