"""Messages that only greet, thank, agree or take leave, in every language we speak, and in which they are said.

A message counts only as a whole: one word that asks for something and it is a question.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

BYE, THANKS, GREETING, AGREED = "bye", "thanks", "greeting", "agreed"
MAX_CHARS = 120
_GREETINGS = {
    "en": "hi|hello|hey|hiya|hi there|hello there|hey there|good morning|good afternoon|good evening|good day|"
    "hi everyone|hello everyone|hi all|hello all|hi again|hello again|greetings|how are you|hope you are well",
    "de": "hallo|hi|hey|ciao|guten tag|guten morgen|morgen|guten abend|moin|moin moin|grüß gott|grüezi|servus|"
    "hallo zusammen|hallo nochmal|wie geht es ihnen|wie geht s",
    "fr": "bonjour|bonsoir|salut|coucou|bonjour à tous|rebonjour|comment allez vous|ça va",
    "es": "hola|hola a todos|buenos días|buen día|buenas tardes|buenas noches|buenas|muy buenas|qué tal|cómo está|"
    "hola qué tal",
    "pt": "olá|oi|bom dia|boa tarde|boa noite|tudo bem|como está|oi tudo bem|olá tudo bem",
    "it": "ciao|buongiorno|buon giorno|buonasera|buona sera|buon pomeriggio|salve|come va|come sta",
    "nl": "hoi|hallo|hi|hey|hé|goedemorgen|goedemiddag|goedenavond|goedendag|goeiedag|goede morgen|goede middag|"
    "goede avond|dag|hoe gaat het",
    "sv": "hej|hej hej|hejsan|hallå|tjena|god morgon|god dag|god kväll|god eftermiddag|morsning",
    "da": "hej|hej hej|hejsa|goddag|god dag|godmorgen|god morgen|godaften|god aften|halløj|dav",
    "pl": "cześć|dzień dobry|dobry wieczór|dobry|witam|hej|siema|halo",
    "uk": "привіт|вітаю|здрастуйте|добрий день|доброго дня|добрий вечір|добрий ранок|доброго ранку|доброго вечора|"
    "добридень|як справи",
    "ru": "привет|здравствуйте|здравствуй|добрый день|добрый вечер|доброе утро|доброго дня|приветствую|как дела",
    "tr": "merhaba|merhabalar|selam|selamlar|günaydın|iyi günler|iyi akşamlar|tünaydın|nasılsınız",
    "ar": "مرحبا|مرحبًا|مرحبا بك|السلام عليكم|السلام عليكم ورحمة الله|سلام|أهلا|أهلا وسهلا|صباح الخير|مساء الخير|"
    "كيف حالك|كيف حالكم",
    "he": "שלום|היי|הי|הלו|שלום לכם|בוקר טוב|ערב טוב|צהריים טובים|מה שלומך|מה נשמע",
    "zh": "你好|您好|你们好|大家好|嗨|哈喽|哈啰|早|早安|早上好|上午好|中午好|下午好|晚上好|您好吗|你好吗|在吗",
    "ja": "こんにちは|こんにちわ|こんばんは|おはよう|おはようございます|はじめまして|お世話になります|"
    "お世話になっております|もしもし|よろしくお願いします|よろしくお願いいたします",
    "ko": "안녕|안녕하세요|안녕하십니까|하이|여보세요|반갑습니다|반가워요|처음 뵙겠습니다|좋은 아침|"
    "좋은 아침입니다|좋은 저녁입니다",
}
_THANKS = {
    "en": "thanks|thank you|thank you very much|thanks very much|thanks a lot|thanks a million|many thanks|thx|tnx|"
    "ty|cheers|thank u|thank you so much|thanks so much|thanks again|"
    "thank you again|thanks for your help|thanks for the help|"
    "thank you for your help|thank you for the help|that helps|that helped|very helpful|much appreciated|"
    "thanks in advance|thank you for your time|that s very kind",
    "de": "danke|danke schön|dankeschön|vielen dank|vielen herzlichen dank|danke sehr|danke dir|danke ihnen|"
    "besten dank|herzlichen dank|tausend dank|schönen dank|danke vielmals|vielen dank für ihre hilfe|"
    "danke für die hilfe|danke für ihre hilfe|vielen dank für die hilfe|danke für die auskunft|das hilft mir|"
    "danke im voraus",
    "fr": "merci|merci beaucoup|merci bien|mille mercis|un grand merci|merci à vous|merci d avance|"
    "merci pour votre aide|merci pour l aide|merci pour tout",
    "es": "gracias|muchas gracias|muchísimas gracias|mil gracias|gracias por su ayuda|gracias por la ayuda|"
    "gracias por todo|muchas gracias por su ayuda|gracias de antemano",
    "pt": "obrigado|obrigada|muito obrigado|muito obrigada|brigado|brigada|valeu|obrigado pela ajuda|"
    "obrigada pela ajuda|agradeço|agradecido|agradecida",
    "it": "grazie|grazie mille|mille grazie|molte grazie|tante grazie|grazie infinite|grazie per l aiuto|"
    "grazie dell aiuto|ti ringrazio|la ringrazio",
    "nl": "bedankt|dank je|dank je wel|dank u|dank u wel|dankjewel|dankuwel|hartelijk dank|hartelijk bedankt|"
    "heel erg bedankt|bedankt voor de hulp|bedankt voor uw hulp|bedankt voor je hulp|alvast bedankt|dank",
    "sv": "tack|tack så mycket|tusen tack|tack ska du ha|tack för hjälpen|stort tack|tackar|tack på förhand",
    "da": "tak|mange tak|tusind tak|tak skal du have|tak for hjælpen|tak for det|på forhånd tak",
    "pl": "dziękuję|dzięki|dziękuję bardzo|bardzo dziękuję|wielkie dzięki|dziękuję za pomoc|dzięki za pomoc|"
    "dziękujemy|z góry dziękuję",
    "uk": "дякую|дуже дякую|дуже вам дякую|дякую вам|спасибі|щиро дякую|дякую за допомогу|дякую за відповідь",
    "ru": "спасибо|большое спасибо|спасибо большое|огромное спасибо|спасибо вам|благодарю|благодарю вас|"
    "спасибо за помощь|спасибо за ответ|заранее спасибо",
    "tr": "teşekkürler|teşekkür ederim|teşekkür ederiz|çok teşekkürler|çok teşekkür ederim|sağ olun|sağolun|sağol|"
    "sağ ol|yardımınız için teşekkürler|yardımınız için teşekkür ederim|eyvallah",
    "ar": "شكرا|شكرًا|شكرا لك|شكرا لكم|شكرا جزيلا|شكرًا جزيلًا|ألف شكر|شكرا لمساعدتك|شكرا على المساعدة|"
    "جزاك الله خيرا",
    "he": "תודה|תודה רבה|המון תודה|תודה לך|תודה לכם|תודה על העזרה|תודה רבה על העזרה|תודה מראש",
    "zh": "谢谢|谢谢您|谢谢你|谢谢你们|多谢|非常感谢|感谢|十分感谢|太感谢了|谢谢你的帮助|谢谢您的帮助|谢了|謝謝|"
    "謝謝您|謝謝你",
    "ja": "ありがとう|ありがとうございます|ありがとうございました|どうも|どうもありがとう|どうもありがとうございます|"
    "どうもありがとうございました|有難うございます|有難うございました|感謝します|助かりました|助かります|"
    "お世話になりました",
    "ko": "감사합니다|감사해요|고맙습니다|고마워요|고마워|정말 감사합니다|대단히 감사합니다|도와주셔서 감사합니다|"
    "답변 감사합니다|땡큐",
}
_BYES = {
    "en": "bye|goodbye|good bye|bye bye|bye for now|see you|see ya|see you later|see you soon|see you then|"
    "see you tomorrow|see you again|see you next time|see you next week|talk to you later|talk to you soon|"
    "talk to you tomorrow|take care|have a nice day|have a good day|have a great day|have a good one|"
    "have a nice evening|have a nice weekend|have a good weekend|have a good evening|good night|until tomorrow|"
    "until then|until next time|i have to go|gotta go|i ll be back|i will be back|i ll come back later|"
    "i ll come back tomorrow|that s all|that is all|that s it|that was all|that was it|nothing else",
    "de": "tschüss|tschüß|tschuess|tschau|ciao|auf wiedersehen|wiedersehen|auf wiederhören|bis bald|bis dann|"
    "bis später|bis morgen|bis demnächst|bis zum nächsten mal|bis nächste woche|schönen tag|schönen tag noch|"
    "einen schönen tag|einen schönen tag noch|schönen abend|schönen abend noch|schönen feierabend|"
    "schönes wochenende|gute nacht|mach s gut|ich melde mich wieder|das war s|das war alles|das wäre alles",
    "fr": "au revoir|à bientôt|à demain|à plus|à plus tard|à tout à l heure|à la prochaine|à la semaine prochaine|"
    "bonne journée|bonne journée à vous|bonne soirée|bonne nuit|bon week end|bonne fin de journée|adieu|salut|"
    "c est tout",
    "es": "adiós|hasta luego|hasta pronto|hasta mañana|hasta la próxima|hasta la vista|hasta otra|nos vemos|"
    "nos vemos mañana|chao|chau|que tenga un buen día|que tenga buen día|buen día|buenas noches|"
    "buen fin de semana|eso es todo|nada más",
    "pt": "adeus|tchau|xau|até logo|até breve|até amanhã|até mais|até à próxima|até a próxima|até já|"
    "tenha um bom dia|"
    "bom fim de semana|boa noite|é tudo|só isso",
    "it": "arrivederci|arrivederla|a presto|a domani|a dopo|a più tardi|alla prossima|ci vediamo|ci vediamo domani|"
    "ci sentiamo|ci sentiamo domani|ciao|ciao ciao|addio|buona giornata|buona serata|buon weekend|buonanotte|"
    "buona notte|è tutto",
    "nl": "tot ziens|tot morgen|tot straks|tot later|tot dan|tot snel|tot gauw|tot de volgende keer|"
    "tot volgende week|"
    "doei|doeg|doei doei|dag|fijne dag|fijne dag nog|fijne avond|fijn weekend|prettige dag|goedenacht|welterusten|"
    "dat was het|dat is alles",
    "sv": "hej då|hejdå|adjö|ha det bra|ha det|ha en bra dag|ha en fin dag|trevlig helg|vi ses|vi ses imorgon|"
    "vi ses i morgon|vi hörs|vi hörs imorgon|ses|god natt|på återseende|det var allt",
    "da": "farvel|hej hej|på gensyn|vi ses|vi ses i morgen|vi snakkes|vi snakkes ved|ses|ha det|ha det godt|"
    "hav en god dag|ha en god dag|god weekend|god nat|godnat|det var alt",
    "pl": "do widzenia|do zobaczenia|do jutra|do usłyszenia|na razie|narazie|pa|pa pa|papa|cześć|hej|trzymaj się|"
    "do następnego razu|miłego dnia|miłego wieczoru|miłego weekendu|dobranoc|to wszystko",
    "uk": "до побачення|до зустрічі|до завтра|бувайте|бувай|па|па па|папа|гарного дня|гарного вечора|гарних вихідних|"
    "на все добре|всього найкращого|добраніч|на добраніч|це все|побачимось завтра",
    "ru": "до свидания|до встречи|до завтра|до скорого|пока|пока пока|всего доброго|всего хорошего|хорошего дня|"
    "хорошего вечера|хороших выходных|спокойной ночи|увидимся|увидимся завтра|прощайте|это все",
    "tr": "hoşça kal|hoşça kalın|hoşçakal|hoşçakalın|görüşürüz|görüşmek üzere|yarın görüşürüz|sonra görüşürüz|"
    "güle güle|"
    "bay bay|baybay|iyi geceler|iyi akşamlar|iyi günler|iyi hafta sonları|kendinize iyi bakın|kolay gelsin|hepsi bu",
    "ar": "مع السلامة|وداعا|وداعًا|إلى اللقاء|الى اللقاء|أراك غدا|أراكم غدا|إلى الغد|أراك لاحقا|في أمان الله|"
    "تصبح على خير|تصبحون على خير|يوما سعيدا|طاب يومك|باي|هذا كل شيء",
    "he": "להתראות|ביי|ביי ביי|יום טוב|לילה טוב|שבת שלום|סוף שבוע נעים|המשך יום נעים|יום נעים|ערב נעים|נתראה|"
    "נתראה מחר|נדבר מחר|להתראות מחר|זה הכל",
    "zh": "再见|再見|拜拜|拜|回头见|回见|明天见|明天再见|明天再来|下次见|下次再见|下次再聊|待会见|改天见|晚安|"
    "一会儿见|慢走|没有了|没事了",
    "ja": "さようなら|さよなら|バイバイ|ばいばい|では|それでは|じゃあ|じゃ|またね|じゃあね|では また|また|また明日|"
    "また今度|また後で|"
    "また来ます|また明日来ます|失礼します|失礼いたします|失礼しました|おやすみ|おやすみなさい|以上です",
    "ko": "안녕히 계세요|안녕히 가세요|안녕히계세요|잘 있어요|잘 가요|안녕|내일 봐요|내일 뵙겠습니다|내일 봬요|"
    "나중에 봐요|또 봐요|다음에 봐요|"
    "다음에 뵙겠습니다|수고하세요|좋은 하루 되세요|좋은 하루 보내세요|안녕히 주무세요|바이|이상입니다",
}
# What is said to an answer and asks nothing more.
_AGREED = {
    "en": "ok|okay|okey|k|kk|alright|all right|got it|i see|understood|i understand|fine|that s fine|great|"
    "that s great|good|very good|nice|cool|perfect|super|excellent|wonderful|awesome|sounds good|sure|of course|"
    "yes|yes please|yeah|yep|no|nope|no problem|never mind|nevermind|all good|good to know|will do|lol|haha|wow|oh|"
    "ah|hmm|"
    "well|test|testing|just testing|not now|maybe later|let me think|i ll think about it",
    "de": "ok|okay|oki|alles klar|klar|gut|sehr gut|na gut|schön|prima|super|toll|perfekt|verstehe|verstanden|"
    "ich verstehe|in ordnung|passt|ja|nein|jo|nö|genau|doch|ach so|achso|aha|kein problem|danke nein|später|"
    "vielleicht später|test",
    "fr": "ok|okay|d accord|d acc|très bien|bien|parfait|super|génial|compris|j ai compris|je vois|entendu|oui|non|"
    "ça marche|c est bon|pas de problème|c est noté|plus tard|peut être plus tard|test",
    "es": "ok|okay|vale|de acuerdo|está bien|muy bien|bien|bueno|perfecto|genial|estupendo|entendido|entiendo|"
    "comprendo|claro|sí|no|ya veo|sin problema|más tarde",
    "pt": "ok|okay|está bem|tá bom|tá|certo|muito bem|bem|bom|perfeito|ótimo|óptimo|entendi|entendido|percebi|claro|"
    "sim|não|beleza|sem problema|mais tarde|teste",
    "it": "ok|okay|va bene|d accordo|bene|molto bene|perfetto|ottimo|benissimo|capito|ho capito|certo|chiaro|sì|no|"
    "nessun problema|più tardi",
    "nl": "ok|oke|oké|okay|prima|goed|heel goed|mooi|top|perfect|super|duidelijk|begrepen|ik begrijp het|akkoord|ja|"
    "nee|geen probleem|later|test",
    "sv": "ok|okej|okay|bra|jättebra|toppen|perfekt|jag förstår|förstår|uppfattat|ja|nej|jo|inga problem|senare|test",
    "da": "ok|okay|okej|fint|godt|super|perfekt|forstået|jeg forstår|ja|nej|jo|intet problem|senere|test",
    "pl": "ok|okej|okay|dobrze|dobra|bardzo dobrze|świetnie|super|rozumiem|zrozumiałem|zrozumiałam|jasne|tak|nie|"
    "w porządku|nie ma problemu|później|test",
    "uk": "ок|окей|ok|добре|гаразд|дуже добре|чудово|супер|зрозуміло|зрозумів|зрозуміла|ясно|так|ні|пізніше|тест",
    "ru": "ок|окей|ok|хорошо|ладно|очень хорошо|отлично|супер|понятно|понял|поняла|ясно|да|нет|позже|тест",
    "tr": "ok|okey|tamam|tamamdır|peki|anladım|anlaşıldı|iyi|güzel|çok güzel|çok iyi|harika|süper|evet|hayır|olur|"
    "sorun değil|sonra|test",
    "ar": "حسنا|حسنًا|تمام|طيب|أوكي|اوكي|ممتاز|رائع|جيد|جيد جدا|فهمت|مفهوم|نعم|لا|أجل|لا مشكلة|لاحقا|اختبار",
    "he": "אוקיי|אוקי|בסדר|בסדר גמור|טוב|מצוין|מעולה|סבבה|הבנתי|ברור|כן|לא|אין בעיה|אחר כך|יופי|בדיקה",
    "zh": "好|好的|好吧|行|可以|嗯|嗯嗯|哦|噢|明白|明白了|知道了|了解|了解了|懂了|是|是的|不|不是|不用|不用了|"
    "没问题|没关系|太好了|很好|"
    "ok|测试",
    "ja": "はい|いいえ|うん|ううん|ok|オッケー|オーケー|了解|了解です|了解しました|わかりました|分かりました|"
    "わかった|分かった|承知しました|"
    "承知いたしました|なるほど|大丈夫|大丈夫です|結構です|そうですか|いいですね|テスト",
    "ko": "네|예|아니요|아니오|응|아니|네네|알겠습니다|알겠어요|알았어요|그렇군요|좋아요|좋습니다|괜찮아요|"
    "괜찮습니다|오케이|ok|ㅇㅋ|ㅋㅋ|ㅋㅋㅋ|"
    "ㅎㅎ|테스트",
}
# Between two of them, or added to one: "danke und tschüss", "thanks everyone", "merci, à vous aussi".
_JOINING = (
    "and then so all everyone guys team sir madam again too also und auch dann noch et aussi vous toi y también e "
    "anche anch também en ook och också og også i też та і й и также ve de da و"
)
_ASKS = re.compile(r"[?？؟]")
_ENDS = re.compile(r"[.,;:!?¡¿\n\-…–—~。！？，、：；．〜～؟،؛]+")


@dataclass(frozen=True)
class SmallTalk:
    """What a message does (BYE, THANKS, GREETING or AGREED) and the languages that say it so, most common first."""

    kind: str
    langs: tuple[str, ...]


def small_talk(message: str) -> SmallTalk | None:
    """What a message that is nothing but politeness says; None where it says anything else."""
    if len(message) > MAX_CHARS:
        return None
    parts = [plain for part in _ENDS.split(message) if (plain := _plain(part))]
    if not parts:
        is_picture = any(unicodedata.category(sign) == "So" for sign in message) and not _ASKS.search(message)
        return SmallTalk(AGREED, ()) if is_picture else None
    met: list[str] = []
    for part in parts:
        phrases = _phrases_of(part)
        if not phrases:
            return None
        met += phrases
    # Who thanks and leaves is leaving; an "ok" before that says nothing of its own. "Ciao" comes first or last.
    is_hello = met[0] in _TABLES[GREETING]
    kind = next(kind for kind in _TABLES if any(
        phrase in _TABLES[kind] for phrase in (met[1:] if kind == BYE and is_hello else met)))
    if kind == AGREED and _ASKS.search(message):
        return None
    return SmallTalk(kind, _shared([_TABLES[kind][phrase] for phrase in met if phrase in _TABLES[kind]],
                                   [_SAID_IN[phrase] for phrase in met]))


def _phrases_of(part: str) -> list[str]:
    """A part as phrases of the tables one behind the other, longest first; empty where a word is left over."""
    pieces = list(part) if _DENSE.search(part) else part.split(" ")
    joint = "" if len(pieces) == len(part) else " "
    # best[n]: the fewest phrases that make up the first n pieces.
    best: list[list[str] | None] = [[]]
    for end in range(1, len(pieces) + 1):
        found = [[*before, phrase] for begin, before in enumerate(best) if before is not None
                 for phrase in [joint.join(pieces[begin:end]).strip()] if phrase in _SAID_IN or phrase in _JOINED]
        best.append(min(found, key=len, default=None))
    return [phrase for phrase in best[-1] or [] if phrase not in _JOINED]


def _shared(own: list[tuple[str, ...]], all_said: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The languages that every phrase belongs to, else those of the phrase that decides."""
    common = [lang for lang in all_said[0] if all(lang in langs for langs in all_said)]
    return tuple(common) or own[-1]


def _plain(said: str) -> str:
    """Words folded in case and accents: "À bientôt" is "a bientot"."""
    parts = unicodedata.normalize("NFKD", said.casefold().replace("ı", "i").replace("ł", "l"))
    bare = unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _by_text(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for lang, all_said in table.items():
        for said in all_said.split("|"):
            known = found.get(_plain(said), ())
            found[_plain(said)] = known if lang in known else (*known, lang)
    return found


_JOINED = frozenset(map(_plain, _JOINING.split())) | {""}
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
# In the order in which they decide.
_TABLES = {BYE: _by_text(_BYES), THANKS: _by_text(_THANKS), GREETING: _by_text(_GREETINGS), AGREED: _by_text(_AGREED)}
_SAID_IN: dict[str, tuple[str, ...]] = {}
for _table in _TABLES.values():
    for _phrase, _langs in _table.items():
        _SAID_IN[_phrase] = tuple(dict.fromkeys((*_SAID_IN.get(_phrase, ()), *_langs)))
