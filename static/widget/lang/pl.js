export default {
  open: "Otwórz czat",
  messages: "Wiadomości", you: "Ty", placeholder: "Napisz wiadomość", send: "Wyślij", stop: "Zatrzymaj", retry: "Spróbuj ponownie",
  attach: "Dołącz obraz", remove: "Usuń", image: "Obraz", menu: "Więcej", close: "Zamknij", earlier: "Wcześniejsze wiadomości",
  fresh: "Nowa rozmowa", askPerson: "Porozmawiaj z człowiekiem", nobody: "W tej chwili nikogo nie ma.", sources: "Źródła",
  contact: "Zostaw dane kontaktowe", email: "E-mail", phone: "Telefon", name: "Imię", save: "Zapisz", saved: "Dziękujemy!",
  check: "Sprawdź wpisane dane.", rate: "Oceń tę rozmowę", stars: "{n} z 5", comment: "Napisz więcej (opcjonalnie)", skip: "Nie teraz",
  soundOn: "Włącz dźwięk", soundOff: "Wyłącz dźwięk", typing: "{name} pisze…", unread: "Nieprzeczytane: {n}",
  offline: "Brak połączenia. Wiadomość zostanie wysłana, gdy tylko wróci połączenie.", failed: "Nie udało się.",
  stopped: "Zatrzymano", interrupted: "Przerwano", blocked: "Nie możesz pisać na tym czacie.", until: "Do {time}.",
  tooMany: "Za dużo wiadomości. Poczekaj chwilę; Twoja zostanie wysłana potem.", imageFailed: "Tego obrazu nie można wysłać.",
};
