export default {
  open: "Ouvrir le chat",
  messages: "Conversation", you: "Vous", placeholder: "Écrivez votre message", send: "Envoyer", stop: "Arrêter", retry: "Réessayer",
  attach: "Joindre une image", remove: "Retirer", image: "Photo jointe", menu: "Plus", close: "Fermer", earlier: "Messages précédents",
  fresh: "Nouvelle conversation", askPerson: "Parler à une personne", nobody: "Personne n'est là pour le moment.", sources: "Sources",
  contact: "Laisser vos coordonnées", email: "E-mail", phone: "Téléphone", name: "Nom", save: "Enregistrer", saved: "Merci !",
  check: "Veuillez vérifier votre saisie.", rate: "Évaluer cette conversation", stars: "{n} sur 5", comment: "Dites-nous en plus (facultatif)", skip: "Plus tard",
  soundOn: "Activer le son", soundOff: "Couper le son", typing: "{name} écrit…", unread: "Non lus : {n}",
  offline: "Pas de connexion. Votre message partira dès qu'elle sera rétablie.", failed: "Cela n'a pas fonctionné.",
  stopped: "Arrêté", interrupted: "Interrompu", blocked: "Vous ne pouvez pas écrire dans ce chat.", until: "Jusqu'au {time}.",
  tooMany: "Trop de messages. Patientez un instant ; le vôtre partira ensuite.", imageFailed: "Cette image ne peut pas être envoyée.",
};
