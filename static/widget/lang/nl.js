export default {
  open: "Chat openen",
  messages: "Berichten", you: "U", placeholder: "Typ uw bericht", send: "Verzenden", stop: "Stoppen", retry: "Opnieuw proberen",
  attach: "Afbeelding toevoegen", remove: "Verwijderen", image: "Afbeelding", menu: "Meer", close: "Sluiten", earlier: "Eerdere berichten",
  fresh: "Nieuw gesprek", askPerson: "Met een medewerker praten", nobody: "Er is nu niemand aanwezig.", sources: "Bronnen",
  contact: "Laat uw gegevens achter", email: "E-mail", phone: "Telefoon", name: "Naam", save: "Opslaan", saved: "Dank u wel!",
  check: "Controleer uw gegevens.", rate: "Dit gesprek beoordelen", stars: "{n} van 5", comment: "Vertel ons meer (optioneel)", skip: "Nu niet",
  soundOn: "Geluid aan", soundOff: "Geluid uit", typing: "{name} typt…", unread: "{n} ongelezen",
  offline: "Geen verbinding. Uw bericht wordt verzonden zodra die terug is.", failed: "Dit is niet gelukt.",
  stopped: "Gestopt", interrupted: "Onderbroken", blocked: "U kunt in deze chat niet schrijven.", until: "Tot {time}.",
  tooMany: "Te veel berichten. Wacht even; het uwe wordt daarna verzonden.", imageFailed: "Deze afbeelding kan niet worden verzonden.",
};
