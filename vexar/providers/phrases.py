"""What the builtin answerer says by itself, in the visitor's language."""

from __future__ import annotations

UNKNOWN = {
    "en": "I'm sorry, I don't know the answer to that. Leave your email address and we will get back to you, or ask "
    "to talk to a person.",
    "de": "Das weiß ich leider nicht. Hinterlassen Sie Ihre E-Mail-Adresse, dann melden wir uns, oder lassen Sie sich "
    "mit einem Menschen verbinden.",
    "fr": "Désolé, je ne connais pas la réponse. Laissez votre adresse e-mail et nous vous répondrons, ou demandez à "
    "parler à une personne.",
    "es": "Lo siento, no sé la respuesta. Deje su correo electrónico y le responderemos, o pida hablar con una "
    "persona.",
    "pt": "Desculpe, não sei a resposta. Deixe o seu e-mail e responderemos, ou peça para falar com uma pessoa.",
    "it": "Mi dispiace, non conosco la risposta. Lasci il suo indirizzo e-mail e le risponderemo, oppure chieda di "
    "parlare con una persona.",
    "nl": "Sorry, dat weet ik niet. Laat uw e-mailadres achter, dan nemen we contact op, of vraag om een medewerker.",
    "pl": "Przepraszam, nie znam odpowiedzi. Proszę zostawić adres e-mail, a odpiszemy, albo poprosić o rozmowę "
    "z człowiekiem.",
    "uk": "На жаль, я не знаю відповіді. Залиште свою електронну адресу, і ми відповімо, або попросіть поговорити "
    "з людиною.",
    "ru": "К сожалению, я не знаю ответа. Оставьте свой адрес электронной почты, и мы ответим, или попросите "
    "поговорить с человеком.",
    "sv": "Tyvärr vet jag inte svaret. Lämna din e-postadress så hör vi av oss, eller be att få tala med en person.",
    "tr": "Üzgünüm, bunun yanıtını bilmiyorum. E-posta adresinizi bırakın, size dönelim ya da bir yetkiliyle görüşmek "
    "isteyin.",
    "ar": "عذرًا، لا أعرف الإجابة. اترك بريدك الإلكتروني وسنعود إليك، أو اطلب التحدث إلى شخص.",
    "he": "מצטערים, אין לי תשובה לכך. אפשר להשאיר כתובת אימייל ונחזור אליכם, או לבקש לדבר עם נציג.",
    "zh": "抱歉，我不知道这个问题的答案。请留下您的电子邮箱，我们会回复您，或者要求与人工客服交谈。",
    "ja": "申し訳ありませんが、その答えはわかりません。メールアドレスを残していただければご連絡します。"
    "担当者との会話を希望することもできます。",
}
# The same for a site where no person answers.
UNKNOWN_ALONE = {
    "en": "I'm sorry, I don't know the answer to that. Leave your email address and we will get back to you.",
    "de": "Das weiß ich leider nicht. Hinterlassen Sie Ihre E-Mail-Adresse, dann melden wir uns.",
    "fr": "Désolé, je ne connais pas la réponse. Laissez votre adresse e-mail et nous vous répondrons.",
    "es": "Lo siento, no sé la respuesta. Deje su correo electrónico y le responderemos.",
    "pt": "Desculpe, não sei a resposta. Deixe o seu e-mail e responderemos.",
    "it": "Mi dispiace, non conosco la risposta. Lasci il suo indirizzo e-mail e le risponderemo.",
    "nl": "Sorry, dat weet ik niet. Laat uw e-mailadres achter, dan nemen we contact op.",
    "pl": "Przepraszam, nie znam odpowiedzi. Proszę zostawić adres e-mail, a odpiszemy.",
    "uk": "На жаль, я не знаю відповіді. Залиште свою електронну адресу, і ми відповімо.",
    "ru": "К сожалению, я не знаю ответа. Оставьте свой адрес электронной почты, и мы ответим.",
    "sv": "Tyvärr vet jag inte svaret. Lämna din e-postadress så hör vi av oss.",
    "tr": "Üzgünüm, bunun yanıtını bilmiyorum. E-posta adresinizi bırakın, size dönelim.",
    "ar": "عذرًا، لا أعرف الإجابة. اترك بريدك الإلكتروني وسنعود إليك.",
    "he": "מצטערים, אין לי תשובה לכך. אפשר להשאיר כתובת אימייל ונחזור אליכם.",
    "zh": "抱歉，我不知道这个问题的答案。请留下您的电子邮箱，我们会回复您。",
    "ja": "申し訳ありませんが、その答えはわかりません。メールアドレスを残していただければご連絡します。",
}
GREETING = {
    "en": "Hello! How can I help you?",
    "de": "Hallo! Wie kann ich Ihnen helfen?",
    "fr": "Bonjour ! Comment puis-je vous aider ?",
    "es": "¡Hola! ¿En qué puedo ayudarle?",
    "pt": "Olá! Como posso ajudar?",
    "it": "Buongiorno! Come posso aiutarla?",
    "nl": "Hallo! Waarmee kan ik u helpen?",
    "pl": "Dzień dobry! W czym mogę pomóc?",
    "uk": "Вітаю! Чим можу допомогти?",
    "ru": "Здравствуйте! Чем могу помочь?",
    "sv": "Hej! Hur kan jag hjälpa dig?",
    "tr": "Merhaba! Size nasıl yardımcı olabilirim?",
    "ar": "مرحبًا! كيف يمكنني مساعدتك؟",
    "he": "שלום! איך אפשר לעזור?",
    "zh": "您好！请问有什么可以帮您？",
    "ja": "こんにちは。どのようなご用件でしょうか。",
}
THANKS = {
    "en": "You're welcome! Is there anything else I can help with?",
    "de": "Gern geschehen! Kann ich sonst noch helfen?",
    "fr": "Avec plaisir ! Puis-je vous aider pour autre chose ?",
    "es": "¡De nada! ¿Puedo ayudarle en algo más?",
    "pt": "De nada! Posso ajudar em mais alguma coisa?",
    "it": "Prego! Posso aiutarla in altro?",
    "nl": "Graag gedaan! Kan ik nog ergens mee helpen?",
    "pl": "Proszę bardzo! Czy mogę jeszcze w czymś pomóc?",
    "uk": "Будь ласка! Чи можу ще чимось допомогти?",
    "ru": "Пожалуйста! Могу ли я ещё чем-нибудь помочь?",
    "sv": "Varsågod! Kan jag hjälpa till med något mer?",
    "tr": "Rica ederim! Başka bir konuda yardımcı olabilir miyim?",
    "ar": "على الرحب والسعة! هل يمكنني المساعدة في شيء آخر؟",
    "he": "בשמחה! אפשר לעזור בעוד משהו?",
    "zh": "不客气！还有什么可以帮您的吗？",
    "ja": "どういたしまして。ほかにお手伝いできることはありますか。",
}
# Whole messages that only greet or thank, folded in case and without punctuation.
_GREETINGS = {
    "en": "hi|hello|hey|hiya|hi there|hello there|hey there|good morning|good afternoon|good evening|hi everyone",
    "de": "hallo|guten tag|guten morgen|guten abend|moin|grüß gott|servus|hallo zusammen",
    "fr": "bonjour|bonsoir|salut|coucou",
    "es": "hola|buenos días|buenos dias|buenas tardes|buenas noches|buenas",
    "pt": "olá|ola|oi|bom dia|boa tarde|boa noite",
    "it": "ciao|buongiorno|buonasera|salve",
    "nl": "hoi|goedemorgen|goedemiddag|goedenavond|goedendag",
    "pl": "cześć|czesc|dzień dobry|dzien dobry|dobry wieczór|witam|hej",
    "uk": "привіт|вітаю|добрий день|доброго дня|добрий вечір|добрий ранок",
    "ru": "привет|здравствуйте|добрый день|добрый вечер|доброе утро",
    "sv": "hejsan|god morgon|god kväll|tjena",
    "tr": "merhaba|selam|günaydın|iyi günler|iyi akşamlar",
    "ar": "مرحبا|مرحبًا|السلام عليكم|أهلا|صباح الخير|مساء الخير",
    "he": "שלום|היי|הי|בוקר טוב|ערב טוב|צהריים טובים",
    "zh": "你好|您好|嗨|早上好|下午好|晚上好",
    "ja": "こんにちは|こんばんは|おはよう|おはようございます|はじめまして",
}
_THANKS = {
    "en": "thanks|thank you|thank you very much|thanks a lot|many thanks|thx|ty|cheers|great thanks|ok thanks|"
    "ok thank you|perfect thanks|thank you so much|thanks so much",
    "de": "danke|danke schön|dankeschön|vielen dank|danke sehr|besten dank|ok danke|super danke",
    "fr": "merci|merci beaucoup|merci bien|ok merci|parfait merci",
    "es": "gracias|muchas gracias|mil gracias|ok gracias|vale gracias",
    "pt": "obrigado|obrigada|muito obrigado|muito obrigada|ok obrigado|ok obrigada",
    "it": "grazie|grazie mille|molte grazie|ok grazie",
    "nl": "bedankt|dank je|dank je wel|dank u|dank u wel|dankjewel|hartelijk dank",
    "pl": "dziękuję|dziekuje|dzięki|dzieki|dziękuję bardzo|ok dziękuję",
    "uk": "дякую|дуже дякую|спасибі|щиро дякую",
    "ru": "спасибо|большое спасибо|спасибо большое|благодарю",
    "sv": "tack|tack så mycket|tusen tack",
    "tr": "teşekkürler|teşekkür ederim|çok teşekkürler|sağ olun|sağol",
    "ar": "شكرا|شكرًا|شكرا جزيلا|شكرًا جزيلًا",
    "he": "תודה|תודה רבה",
    "zh": "谢谢|谢谢您|谢谢你|多谢|非常感谢",
    "ja": "ありがとう|ありがとうございます|どうも|どうもありがとうございます",
}


def _by_text(table: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for lang, all_said in table.items():
        for said in all_said.split("|"):
            found.setdefault(said, []).append(lang)
    return found


# Each whole message, and the languages it occurs in.
GREETINGS, ALL_THANKS = _by_text(_GREETINGS), _by_text(_THANKS)
