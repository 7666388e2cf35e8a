export default {
  open: "Chat öffnen",
  messages: "Nachrichten", you: "Sie", placeholder: "Nachricht schreiben", send: "Senden", stop: "Stopp", retry: "Erneut versuchen",
  attach: "Bild anhängen", remove: "Entfernen", image: "Bild", menu: "Mehr", close: "Schließen", earlier: "Frühere Nachrichten",
  fresh: "Neues Gespräch", askPerson: "Mit einem Menschen sprechen", nobody: "Zurzeit ist niemand da.", sources: "Quellen",
  contact: "Kontaktdaten hinterlassen", email: "E-Mail", phone: "Telefon", name: "Ihr Name", save: "Speichern", saved: "Vielen Dank!",
  check: "Bitte prüfen Sie Ihre Angaben.", rate: "Gespräch bewerten", stars: "{n} von 5", comment: "Erzählen Sie mehr (freiwillig)", skip: "Jetzt nicht",
  soundOn: "Ton einschalten", soundOff: "Ton ausschalten", typing: "{name} schreibt …", unread: "{n} ungelesen",
  offline: "Keine Verbindung. Ihre Nachricht wird gesendet, sobald sie wieder da ist.", failed: "Das hat nicht geklappt.",
  stopped: "Angehalten", interrupted: "Unterbrochen", blocked: "Sie können in diesem Chat nicht schreiben.", until: "Bis {time}.",
  tooMany: "Zu viele Nachrichten. Bitte warten Sie kurz; Ihre wird dann gesendet.", imageFailed: "Dieses Bild kann nicht gesendet werden.",
};
