"""The few sentences Vexar itself says in a conversation, in the languages of the widget."""

from __future__ import annotations

LINES: dict[str, dict[str, str]] = {
    "joined": {
        "en": "{name} joined the conversation.",
        "de": "{name} ist dem Gespräch beigetreten.",
        "fr": "{name} a rejoint la conversation.",
        "es": "{name} se ha unido a la conversación.",
        "pt": "{name} entrou na conversa.",
        "it": "{name} si è unito alla conversazione.",
        "nl": "{name} neemt deel aan het gesprek.",
        "pl": "{name} dołącza do rozmowy.",
        "uk": "{name} приєднується до розмови.",
        "tr": "{name} görüşmeye katıldı.",
        "ar": "انضم {name} إلى المحادثة.",
        "he": "{name} הצטרף לשיחה.",
        "zh": "{name} 已加入对话。",
        "ja": "{name} が会話に参加しました。",
    },
    "returned": {
        "en": "You are talking to the assistant again.",
        "de": "Sie sprechen wieder mit dem Assistenten.",
        "fr": "Vous parlez de nouveau à l'assistant.",
        "es": "Vuelve a hablar con el asistente.",
        "pt": "Está novamente a falar com o assistente.",
        "it": "Sta parlando di nuovo con l'assistente.",
        "nl": "U praat weer met de assistent.",
        "pl": "Ponownie rozmawiasz z asystentem.",
        "uk": "Ви знову розмовляєте з асистентом.",
        "tr": "Yeniden asistanla konuşuyorsunuz.",
        "ar": "أنت تتحدث إلى المساعد من جديد.",
        "he": "אתם שוב מדברים עם העוזר.",
        "zh": "您正在再次与助手对话。",
        "ja": "アシスタントが再び対応します。",
    },
    "waiting": {
        "en": "We are calling a person for you.",
        "de": "Wir rufen jemanden für Sie.",
        "fr": "Nous appelons une personne pour vous.",
        "es": "Estamos avisando a una persona para usted.",
        "pt": "Estamos a chamar uma pessoa para si.",
        "it": "Stiamo chiamando una persona per lei.",
        "nl": "We roepen iemand voor u.",
        "pl": "Wzywamy do Ciebie człowieka.",
        "uk": "Ми кличемо для вас людину.",
        "tr": "Sizin için birini çağırıyoruz.",
        "ar": "نستدعي شخصًا من أجلك.",
        "he": "אנחנו קוראים עבורכם לנציג.",
        "zh": "我们正在为您呼叫人工客服。",
        "ja": "担当者を呼び出しています。",
    },
}

# What the widget writes on its own buttons and lines, sent with chat/config.
STRINGS: dict[str, dict[str, str]] = {
    "en": {
        "placeholder": "Type your message",
        "send": "Send",
        "stop": "Stop",
        "retry": "Try again",
        "new_conversation": "New conversation",
        "ask_person": "Talk to a person",
        "sources": "Sources",
        "offline": "You are offline. Your message will be sent when you are back.",
        "blocked": "You cannot write in this chat.",
        "too_many": "Too many messages. Please wait a moment.",
    },
}


def line(key: str, lang: str, **values: str) -> str:
    """One sentence in the visitor's language (BCP 47; unknown ones get English)."""
    words = LINES[key]
    text = words.get(lang.replace("_", "-").split("-")[0].lower()) or words["en"]
    for name, value in values.items():
        # Not str.format: a name may hold braces.
        text = text.replace("{" + name + "}", value)
    return text


def strings(lang: str) -> dict[str, str]:
    """The widget's own words in this language, English where there are none."""
    own = STRINGS.get(lang.replace("_", "-").split("-")[0].lower(), {})
    return {**STRINGS["en"], **own}
