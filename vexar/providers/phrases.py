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
BYE = {
    "en": "Goodbye, and thank you for stopping by!",
    "de": "Auf Wiedersehen und danke für Ihren Besuch!",
    "fr": "Au revoir et merci de votre visite !",
    "es": "¡Hasta luego y gracias por su visita!",
    "pt": "Até logo e obrigado pela visita!",
    "it": "Arrivederci e grazie della visita!",
    "nl": "Tot ziens en bedankt voor uw bezoek!",
    "pl": "Do widzenia i dziękujemy za wizytę!",
    "uk": "До побачення і дякуємо, що завітали!",
    "ru": "До свидания и спасибо, что зашли!",
    "sv": "Hej då och tack för besöket!",
    "tr": "Hoşça kalın, ziyaretiniz için teşekkürler!",
    "ar": "مع السلامة وشكرًا لزيارتك!",
    "he": "להתראות ותודה על הביקור!",
    "zh": "再见，感谢您的光临！",
    "ja": "ありがとうございました。またのお越しをお待ちしております。",
}
# Said before the answer when an image came along; this answerer reads words only.
NO_IMAGE = {
    "en": "I cannot see images; please tell me in words what it shows.",
    "de": "Bilder kann ich nicht sehen; bitte beschreiben Sie mir in Worten, was darauf ist.",
    "fr": "Je ne peux pas voir les images ; décrivez-moi avec des mots ce que l'on y voit.",
    "es": "No puedo ver imágenes; dígame con palabras qué muestra.",
    "pt": "Não consigo ver imagens; descreva por palavras o que ela mostra.",
    "it": "Non posso vedere le immagini; mi descriva a parole che cosa mostra.",
    "nl": "Ik kan geen afbeeldingen zien; vertel me in woorden wat erop staat.",
    "pl": "Nie widzę obrazów; proszę opisać słowami, co przedstawia.",
    "uk": "Я не бачу зображень; опишіть, будь ласка, словами, що на ньому.",
    "ru": "Я не вижу изображений; опишите, пожалуйста, словами, что на нём.",
    "sv": "Jag kan inte se bilder; beskriv gärna med ord vad den visar.",
    "tr": "Görselleri göremiyorum; lütfen ne gösterdiğini yazıyla anlatın.",
    "ar": "لا أستطيع رؤية الصور؛ من فضلك صف لي بالكلمات ما تظهره.",
    "he": "אני לא רואה תמונות; אפשר לתאר במילים מה רואים בה.",
    "zh": "我看不到图片，请用文字告诉我图中的内容。",
    "ja": "画像を見ることができません。何が写っているか言葉で教えてください。",
}
# Stands above the questions that lie next to the one that was asked.
ALSO = {
    "en": "You may also ask:",
    "de": "Das könnte auch interessant sein:",
    "fr": "Vous pouvez aussi demander :",
    "es": "También puede preguntar:",
    "pt": "Também pode perguntar:",
    "it": "Può anche chiedere:",
    "nl": "U kunt ook vragen:",
    "pl": "Może Pan/Pani też zapytać:",
    "uk": "Ви також можете запитати:",
    "ru": "Вы также можете спросить:",
    "sv": "Du kan också fråga:",
    "tr": "Şunları da sorabilirsiniz:",
    "ar": "يمكنك أيضًا أن تسأل:",
    "he": "אפשר גם לשאול:",
    "zh": "您还可以问：",
    "ja": "こちらもお尋ねいただけます：",
}
# Whole messages that only greet, thank or say goodbye, folded in case and without punctuation.
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
_BYES = {
    "en": "bye|goodbye|good bye|bye bye|see you|see ya|see you later|have a nice day|have a good day|good night",
    "de": "tschüss|tschüß|tschuess|auf wiedersehen|wiedersehen|bis bald|schönen tag noch|gute nacht",
    "fr": "au revoir|à bientôt|a bientot|bonne journée|bonne soirée|bonne nuit",
    "es": "adiós|adios|hasta luego|hasta pronto|chao|que tenga un buen día",
    "pt": "adeus|tchau|até logo|até breve",
    "it": "arrivederci|a presto|buona giornata|buonanotte",
    "nl": "tot ziens|doei|dag|fijne dag",
    "pl": "do widzenia|pa pa|na razie|miłego dnia|dobranoc",
    "uk": "до побачення|бувайте|па па|гарного дня|на все добре",
    "ru": "до свидания|пока|всего доброго|всего хорошего",
    "sv": "hej då|hejdå|ha en bra dag|vi ses",
    "tr": "hoşça kal|hoşça kalın|görüşürüz|güle güle|iyi geceler",
    "ar": "مع السلامة|وداعا|وداعًا|إلى اللقاء|الى اللقاء",
    "he": "להתראות|ביי|יום טוב|לילה טוב",
    "zh": "再见|拜拜|回头见",
    "ja": "さようなら|さよなら|バイバイ|失礼します|おやすみなさい",
}


def _by_text(table: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for lang, all_said in table.items():
        for said in all_said.split("|"):
            found.setdefault(said, []).append(lang)
    return found


# Each whole message, and the languages it occurs in.
GREETINGS, ALL_THANKS, BYES = _by_text(_GREETINGS), _by_text(_THANKS), _by_text(_BYES)
