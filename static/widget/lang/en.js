export default {
  open: "Open chat",
  messages: "Messages", you: "You", placeholder: "Type your message", send: "Send", stop: "Stop", retry: "Try again",
  attach: "Attach an image", remove: "Remove", image: "Image", menu: "More", close: "Close", earlier: "Earlier messages",
  fresh: "New conversation", askPerson: "Talk to a person", nobody: "Nobody is here at the moment.", sources: "Sources",
  contact: "Leave your contact details", email: "Email", phone: "Phone", name: "Name", save: "Save", saved: "Thank you!",
  check: "Please check what you entered.", rate: "Rate this conversation", stars: "{n} of 5", comment: "Tell us more (optional)", skip: "Not now",
  soundOn: "Turn sound on", soundOff: "Turn sound off", typing: "{name} is typing…", unread: "{n} unread",
  offline: "No connection. Your message will be sent as soon as it is back.", failed: "This did not work.",
  stopped: "Stopped", interrupted: "Interrupted", blocked: "You cannot write in this chat.", until: "Until {time}.",
  tooMany: "Too many messages. Please wait a moment; yours will be sent then.", imageFailed: "This image cannot be sent.",
};
