"""Whether a visitor asks for a person, in plain words, for the builtin answerer; and what it answers then.

It has to be precise: "do you sell a human anatomy book" asks for no person. So a phrase needs all of it: the wish,
the talking, the person.
"""

from __future__ import annotations

import re

# Said when a person was called; where nobody is there, the house's own sentence is the answer.
CALLED = {
    "en": "Of course, I have passed that on. Until somebody joins, just go on asking me.",
    "de": "Gern, ich habe Bescheid gegeben. Bis jemand dazukommt, können Sie mich weiter fragen.",
    "fr": "Bien sûr, j'ai transmis votre demande. En attendant, vous pouvez continuer à me poser vos questions.",
    "es": "Por supuesto, ya he avisado. Mientras llega alguien, puede seguir preguntándome.",
    "pt": "Claro, já transmiti o seu pedido. Até alguém chegar, pode continuar a perguntar-me.",
    "it": "Certo, ho inoltrato la richiesta. Finché non arriva qualcuno, può continuare a chiedere a me.",
    "nl": "Natuurlijk, ik heb het doorgegeven. Tot er iemand is, kunt u mij gewoon verder vragen.",
    "pl": "Oczywiście, przekazałem prośbę. Zanim ktoś dołączy, proszę śmiało pytać dalej.",
    "uk": "Звісно, я передав ваше прохання. Поки хтось приєднається, питайте мене далі.",
    "tr": "Elbette, talebinizi ilettim. Biri gelene kadar bana sormaya devam edebilirsiniz.",
    "ar": "بالتأكيد، لقد نقلت طلبك. حتى ينضم أحد، يمكنك مواصلة سؤالي.",
    "he": "כמובן, העברתי את הבקשה. עד שמישהו יצטרף אפשר להמשיך לשאול אותי.",
    "zh": "好的，我已转达您的请求。在客服到来之前，您可以继续问我。",
    "ja": "承知しました。担当者にお伝えしました。来るまでの間、引き続きご質問ください。",
    "ru": "Конечно, я передал вашу просьбу. Пока никто не подключился, можете спрашивать меня дальше.",
    "sv": "Självklart, jag har meddelat dem. Tills någon ansluter kan du fortsätta fråga mig.",
    "da": "Selvfølgelig, jeg har givet besked. Indtil nogen kommer til, kan du bare spørge mig videre.",
    "ko": "네, 요청을 전달했습니다. 담당자가 올 때까지 저에게 계속 질문하셔도 됩니다.",
}

_PERSON_EN = (
    r"(?:(?:a|an|some|the|your|another|one of your) )?(?:(?:real|live|actual|human|living) )*"
    r"(?:person|human|human being|someone|somebody|operator|agent|representative|rep|advisor|adviser|employee|"
    r"colleague|support|customer (?:service|support|care)|team member|member of staff|staff)\b"
)
# In words folded in case and without punctuation; a match anywhere in the message counts, unless it is anchored.
_PATTERNS = (
    # English
    r"\b(?:can|could|may|might) (?:i|we) (?:please |just )*(?:talk|speak|chat) (?:to|with) " + _PERSON_EN,
    r"\b(?:want|wanna|need|like|prefer|wish|love) (?:to )?(?:please |just )*(?:talk|speak|chat) (?:to|with) "
    + _PERSON_EN,
    r"\b(?:let me|how (?:can|do) i|is it possible to|possible to|allow me to|^) ?(?:talk|speak|chat) (?:to|with) "
    + _PERSON_EN,
    r"\b(?:connect|transfer|forward|put) (?:me|us) (?:through )?(?:to|with) " + _PERSON_EN,
    r"\b(?:get|give) (?:me|us) (?:a |an )?(?:real |live |actual )*(?:person|human|human being|agent|operator)"
    r"(?: please| now| here)*$",
    r"\b(?:want|need|d like|would like|prefer) (?:a |an )?(?:real |live |actual )*(?:person|human|human being|"
    r"human agent|live agent)(?: please| now| here| instead)*$",
    r"\b(?:human|person|someone|somebody|anyone|anybody) (?:here )?(?:that )?(?:i|we) (?:can|could) "
    r"(?:talk|speak|chat) (?:to|with)\b",
    # German
    r"\bmit (?:(?:einem|einer|nem|ner|ihrem|ihrer|eurem) )?(?:(?:echten|richtigen|realen|menschlichen|lebenden) )?"
    r"(?:menschen|mensch|person|jemandem|jemanden|mitarbeiter|mitarbeiterin|berater|beraterin|kundenberater|operator|"
    r"kollegen|kundendienst|kundenservice|support)\b.{0,40}\b(?:sprechen|reden|chatten|schreiben|verbinden|"
    r"verbunden|telefonieren)\b",
    r"\b(?:sprechen|reden|chatten|verbinden|verbinde)\b.{0,12}\bmit (?:(?:einem|einer|ihrem) )?(?:(?:echten|richtigen|"
    r"menschlichen) )?(?:menschen|person|jemandem|mitarbeiter|mitarbeiterin|berater|kundendienst|kundenservice)\b",
    # French
    r"\b(?:parler|discuter|échanger|chatter|dialoguer|en relation|en contact|passez moi|joindre)\b.{0,12}\b(?:à|a|avec|"
    r"au) (?:(?:un|une|votre|vrai|vraie|le|de) )*(?:quelqu un|personne|humain|être humain|conseiller|conseillère|"
    r"opérateur|agent|employé|service client|vendeur)\b",
    # Spanish
    r"\b(?:hablar|hablo|chatear|conversar|comunicarme|comuníqueme|contactar|páseme|conectarme|conécteme)\b.{0,8}\bcon "
    r"(?:(?:un|una|el|la|algún|alguna) )?(?:alguien|persona|humano|ser humano|agente|operador|operadora|asesor|asesora|"
    r"representante|empleado|atención al cliente)\b",
    # Portuguese
    r"\b(?:falar|falo|conversar|contactar|contatar|passar)\b.{0,8}\bcom (?:(?:um|uma|o|a|algum|alguma) )?(?:alguém|"
    r"pessoa|humano|ser humano|atendente|operador|operadora|agente|funcionário|assistente humano|apoio ao cliente)\b",
    # Italian
    r"\b(?:parlare|chattare|comunicare|in contatto|parlo)\b.{0,8}\bcon (?:(?:un|una|un essere|l|vero|vera) )*"
    r"(?:qualcuno|persona|umano|essere umano|operatore|operatrice|addetto|consulente|assistenza clienti)\b",
    # Dutch
    r"\bmet (?:(?:een|echt|echte|jullie) )*(?:mens|persoon|iemand|medewerker|collega|klantenservice|adviseur|operator)"
    r"\b.{0,30}\b(?:praten|spreken|chatten|doorverbinden|doorverbonden|overleggen)\b",
    r"\b(?:praten|spreken|chatten|doorverbinden) met (?:(?:een|echt|echte|jullie) )*(?:mens|persoon|iemand|medewerker|"
    r"klantenservice)\b",
    # Polish
    r"\b(?:porozmawiać|porozmawiaj|rozmawiać|pogadać|pomówić|połączyć|połącz|połączcie|skontaktować)\b"
    r".{0,12}\bz (?:\w+ )?(?:człowiekiem|kimś|konsultantem|konsultantką|osobą|pracownikiem|operatorem|doradcą)\b",
    # Ukrainian
    r"\b(?:поговорити|говорити|поспілкуватися|спілкуватися|зв язати|зв яжіть|з єднати|з єднайте)\b.{0,14}\b(?:з|зі|із)"
    r" (?:\w+ )?(?:людиною|кимось|кимсь|оператором|менеджером|консультантом|представником)\b",
    # Turkish
    r"\b(?:biriyle|birisiyle|kişiyle|insanla|yetkiliyle|yetkili ile|temsilciyle|temsilcisiyle|temsilcisi ile|"
    r"operatörle|görevliyle|çalışanla|destek ile|bir insan ile)\b.{0,15}\b(?:konuş|görüş|bağla|yazış)",
    # Arabic
    r"(?:التحدث|اتحدث|أتحدث|الحديث|أتكلم|اتكلم|التكلم|الكلام|تحويلي|حولني|التواصل).{0,10} (?:إلى|الى|مع) (?:شخص|إنسان|"
    r"انسان|موظف|أحد|احد|ممثل|مندوب|خدمة العملاء)",
    # Hebrew
    r"(?:לדבר|לשוחח|להתכתב|לעבור|תעבירו|העבירו|תחברו).{0,8} (?:עם |אל |ל)(?:נציג|נציגה|אדם|בן אדם|מישהו|מוקדן|"
    r"שירות הלקוחות)",
    # Chinese
    # Not what is called artificial, such as intelligence or turf.
    r"(?:转|轉|接|找|叫)(?:一下|一个|个)?"
    r"(?:人工(?=$|[ 客服坐座吧谢帮来回处解]|(?:电话|热线))|真人)|"
    r"人工(?:客服|服务)|真人客服|(?:联系|找|转|接)(?:一下)?客服|"
    r"(?:和|跟|与|同)(?:一个|一位|你们的?)?(?:真人|真正的人|客服|工作人员)(?:人员)?(?:说话|聊|交谈|对话|沟通|谈|说)",
    # Japanese
    r"(?:(?<![\u3400-\u9fff])人|人間|担当者|オペレーター|オペレータ|スタッフ|係の人|係員)(?:の方)?(?:と|に|へ)(?:直接)?"
    r"(?:話|はな|お話|チャット|相談|つな|繋|代わ|かわ)|有人(?:対応|チャット)|(?:担当者|オペレーター|スタッフ)(?:を|に)?(?:お願い|呼)",
)
_WHOLE_MESSAGES = (
    "human|a human|human please|a human please|real person|a real person|real person please|a real person please|"
    "person please|a person please|operator|operator please|agent|agent please|live agent|live agent please|"
    "live person|live person please|live support|representative|representative please|human agent|talk to human|"
    "speak to human|human being please|mensch bitte|einen menschen bitte|echter mensch|echter mensch bitte|"
    "mitarbeiter bitte|ich will einen menschen|ich möchte einen menschen|ich brauche einen menschen|"
    "echte person bitte|un humain|un humain s il vous plaît|une vraie personne|un conseiller|"
    "un conseiller s il vous plaît|un humano|un humano por favor|una persona por favor|una persona real|"
    "persona real por favor|agente humano|um humano|um humano por favor|pessoa real|uma pessoa por favor|atendente|"
    "un umano|una persona vera|operatore|operatore per favore|medewerker|medewerker alstublieft|echt persoon|"
    "człowiek|konsultant|konsultant proszę|людина|оператор|оператора будь ласка|жива людина|canlı destek|"
    "müşteri temsilcisi|temsilci|gerçek kişi|موظف|شخص حقيقي|إنسان|נציג|נציג בבקשה|נציג אנושי|בן אדם|人工|真人|人工客服|"
    "转人工|オペレーター|担当者|人間と話したい|שיחה עם נציג"
)
_NOT = re.compile(
    r"\b(?:don t|do not|not|never|without|rather than|nicht|kein|keinen|keiner|ne|sans|sin|sem|senza|non|niet|zonder|"
    r"nie|bez|не|без|לא|לבלי|لا|بدون)\b|不想|不要|不用|たくない|istemiyorum"
)
_ENDS = re.compile(r"[.,;:!?\n\u2013\u2014\u2026\u061b\u061f\u060c\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]+")
_IS_WHOLE = frozenset(_WHOLE_MESSAGES.split("|"))
_ASKS = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))


def asks_for_person(message: str) -> bool:
    """Whether the message asks to talk to a person of the site."""
    text = message.casefold()
    if _plain(text) in _IS_WHOLE:
        return True
    # A "no" counts for its own part of the message: "I don't want a bot, let me talk to a human" asks for one.
    said = [_plain(part) for part in (text, *_ENDS.split(text))]
    return any(_ASKS.search(part) and not _NOT.search(part) for part in said)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text))
