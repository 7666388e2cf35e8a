export default {
  open: "Apri la chat",
  messages: "Messaggi", you: "Lei", placeholder: "Scriva un messaggio", send: "Invia", stop: "Ferma", retry: "Riprova",
  attach: "Allega un'immagine", remove: "Rimuovi", image: "Immagine", menu: "Altro", close: "Chiudi", earlier: "Messaggi precedenti",
  fresh: "Nuova conversazione", askPerson: "Parla con una persona", nobody: "Al momento non c'è nessuno.", sources: "Fonti",
  contact: "Lascia un recapito", email: "Email", phone: "Telefono", name: "Nome", save: "Salva", saved: "Grazie!",
  check: "Controlli i dati inseriti.", rate: "Valuti questa conversazione", stars: "{n} su 5", comment: "Ci dica di più (facoltativo)", skip: "Non ora",
  soundOn: "Attiva il suono", soundOff: "Disattiva il suono", typing: "{name} sta scrivendo…", unread: "Non letti: {n}",
  offline: "Nessuna connessione. Il messaggio sarà inviato appena torna la linea.", failed: "Non ha funzionato.",
  stopped: "Fermato", interrupted: "Interrotto", blocked: "Non può scrivere in questa chat.", until: "Fino a {time}.",
  tooMany: "Troppi messaggi. Attenda un momento; il suo sarà inviato dopo.", imageFailed: "Questa immagine non può essere inviata.",
};
