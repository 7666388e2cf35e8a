"""What the builtin answerer says by itself, in the visitor's language."""

from __future__ import annotations

UNKNOWN = {
    "en": "I'm sorry, I don't know the answer to that. Leave your email address and we will get back to you, or ask "
    "to talk to a person.",
    "de": "Das weiß ich leider nicht. Hinterlassen Sie Ihre E-Mail-Adresse, dann melden wir uns, oder lassen Sie "
    "sich "
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
    "tr": "Üzgünüm, bunun yanıtını bilmiyorum. E-posta adresinizi bırakın, size dönelim ya da bir yetkiliyle "
    "görüşmek "
    "isteyin.",
    "ar": "عذرًا، لا أعرف الإجابة. اترك بريدك الإلكتروني وسنعود إليك، أو اطلب التحدث إلى شخص.",
    "he": "מצטערים, אין לי תשובה לכך. אפשר להשאיר כתובת אימייל ונחזור אליכם, או לבקש לדבר עם נציג.",
    "zh": "抱歉，我不知道这个问题的答案。请留下您的电子邮箱，我们会回复您，或者要求与人工客服交谈。",
    "ja": "申し訳ありませんが、その答えはわかりません。メールアドレスを残していただければご連絡します。"
    "担当者との会話を希望することもできます。",
    "da": "Det ved jeg desværre ikke. Skriv din e-mailadresse, så vender vi tilbage, eller bed om at tale med en "
    "person.",
    "ko": "죄송합니다. 그 질문에 대한 답을 알지 못합니다. 이메일 주소를 남겨 주시면 연락드리겠습니다. 상담원과의 "
    "대화를 요청하실 수도 있습니다.",
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
    "da": "Det ved jeg desværre ikke. Skriv din e-mailadresse, så vender vi tilbage.",
    "ko": "죄송합니다. 그 질문에 대한 답을 알지 못합니다. 이메일 주소를 남겨 주시면 연락드리겠습니다.",
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
    "da": "Hej! Hvordan kan jeg hjælpe dig?",
    "ko": "안녕하세요! 무엇을 도와드릴까요?",
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
    "da": "Selv tak! Kan jeg hjælpe med andet?",
    "ko": "천만에요! 더 도와드릴 일이 있을까요?",
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
    "da": "Farvel, og tak for besøget!",
    "ko": "안녕히 가세요. 방문해 주셔서 감사합니다!",
}
# To "ok", "yes" or "no", which ask nothing.
ALL_RIGHT = {
    "en": "All right! Just write if there is anything else.",
    "de": "Alles klar! Schreiben Sie einfach, wenn noch etwas ist.",
    "fr": "Très bien ! Écrivez-moi s'il y a autre chose.",
    "es": "¡De acuerdo! Escríbame si necesita algo más.",
    "pt": "Certo! Escreva se precisar de mais alguma coisa.",
    "it": "Va bene! Mi scriva se c'è altro.",
    "nl": "Prima! Schrijf gerust als er nog iets is.",
    "pl": "W porządku! Proszę napisać, jeśli będzie coś jeszcze.",
    "uk": "Гаразд! Пишіть, якщо буде ще щось.",
    "ru": "Хорошо! Пишите, если понадобится что-то ещё.",
    "sv": "Okej! Skriv bara om det är något mer.",
    "tr": "Tamam! Başka bir şey olursa yazmanız yeterli.",
    "ar": "حسنًا! اكتب لي إن كان هناك أي شيء آخر.",
    "he": "בסדר! אפשר לכתוב אם יש עוד משהו.",
    "zh": "好的！如果还有其他问题，请随时写给我。",
    "ja": "承知しました。ほかに何かあれば、お気軽にお書きください。",
    "da": "Helt i orden! Skriv bare, hvis der er andet.",
    "ko": "알겠습니다! 더 필요한 것이 있으면 말씀해 주세요.",
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
    "da": "Jeg kan ikke se billeder; beskriv gerne med ord, hvad det viser.",
    "ko": "이미지를 볼 수 없습니다. 무엇이 있는지 글로 알려 주세요.",
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
    "da": "Du kan også spørge:",
    "ko": "이런 질문도 하실 수 있습니다:",
}
