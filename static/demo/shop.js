// The shop's own few lines, as any page may have them: questions to ask, a tag to copy, and for whoever plays the
// person, the number of this visitor's session. Everything of the chat itself is in the tag.

const SITE_KEY = document.querySelector("script[data-key]").dataset.key;
const PLACE = "SESSION";
const commands = document.getElementById("commands");
const words = commands?.textContent;

// Before the tag has loaded, an array keeps the calls.
const chat = () => (window.Vexar ??= []);

for (const button of document.querySelectorAll("[data-open]")) button.onclick = () => chat().push(["open"]);

for (const button of document.querySelectorAll("[data-ask]")) {
  button.onclick = () => {
    chat().push(["open"]);
    chat().push(["send", button.dataset.ask]);
  };
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.onclick = () => copy(document.getElementById(button.dataset.copy), button.parentNode.querySelector(".done"));
}

chat().push(["on", "ready", name]);
chat().push(["on", "open", name]);

/** Put the session into the commands, once there is one: the widget makes it when the chat is opened. */
function name() {
  const { session } = JSON.parse(localStorage.getItem(`vexar:${SITE_KEY}`) ?? "{}");
  if (session && commands) commands.textContent = words.replaceAll(PLACE, session);
}

async function copy(text, done) {
  getSelection().selectAllChildren(text);
  try {
    await navigator.clipboard.writeText(text.textContent);
    done.textContent = "Copied.";
  } catch {
    done.textContent = "Marked: press Ctrl or ⌘ and C.";
  }
}
