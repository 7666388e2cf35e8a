// The shop's own few lines, as any page may have them: questions to ask and a tag to copy. Everything of the chat
// itself is in the tag.

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

async function copy(text, done) {
  getSelection().selectAllChildren(text);
  try {
    await navigator.clipboard.writeText(text.textContent);
    done.textContent = "Copied.";
  } catch {
    done.textContent = "Marked: press Ctrl or ⌘ and C.";
  }
}
