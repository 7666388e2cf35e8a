// The pages to get in: sends the form as JSON, shows what was wrong where it was wrong, goes on into the console.

const form = document.querySelector("form");

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  const show = document.getElementById("show");
  show.addEventListener("click", () => {
    const isShown = show.getAttribute("aria-pressed") !== "true";
    show.setAttribute("aria-pressed", String(isShown));
    show.textContent = isShown ? "Hide" : "Show";
    form.elements.password.type = isShown ? "text" : "password";
  });
  form.querySelector("input:not(.gone)").focus();
}

async function send(form) {
  const button = form.querySelector("button.main");
  if (button.getAttribute("aria-disabled") === "true") return;
  clear(form);
  if (!isFilled(form)) return;
  // Not `disabled`: that would throw the focus away.
  button.setAttribute("aria-disabled", "true");
  try {
    const problem = await post(`/console/${form.dataset.page}`, given(form));
    if (!problem) location.replace(destination());
    else tell(form, problem);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

// null, or what the server refused.
async function post(address, body) {
  try {
    const response = await fetch(address, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    return response.ok ? null : await response.json();
  } catch {
    return { error: "The server did not answer. Check your connection and try again." };
  }
}

function given(form) {
  const values = Object.fromEntries(new FormData(form));
  delete values.username;
  const token = new URLSearchParams(location.search).get("token");
  return form.dataset.page === "login" ? values : { ...values, token };
}

// Only a page of the console: `next` is from the address, which anybody may have written.
function destination() {
  const next = new URLSearchParams(location.search).get("next");
  if (form.dataset.page !== "login" || !next) return "/console/";
  try {
    const url = new URL(next, location.origin);
    const isOurs = url.origin === location.origin && url.pathname.startsWith("/console/");
    return isOurs ? url.pathname + url.search : "/console/";
  } catch {
    return "/console/";
  }
}

function isFilled(form) {
  const errors = {};
  for (const input of form.querySelectorAll("input[required]")) {
    if (!input.value.trim()) errors[input.name] = "Please fill this in.";
  }
  if (!Object.keys(errors).length) return true;
  tell(form, { errors });
  return false;
}

function tell(form, { error, errors = {} }) {
  const wrong = Object.entries(errors).filter(([name]) => form.elements[name]);
  for (const [name, sentence] of wrong) {
    const input = form.elements[name];
    input.setAttribute("aria-invalid", "true");
    put(document.getElementById(`${name}-problem`), sentence[0].toUpperCase() + sentence.slice(1));
  }
  if (wrong.length) {
    form.querySelector("[aria-invalid]").focus();
    return;
  }
  put(form.querySelector(".problem"), error);
  form.elements.password.select();
}

function clear(form) {
  for (const line of form.querySelectorAll(".wrong, .problem")) put(line, "");
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

function put(line, text) {
  line.textContent = text;
  line.hidden = !text;
}
