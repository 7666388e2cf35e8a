// The shop's own data: where a model may ask for products, stock and orders, and whether that works.

import { ApiProblem, api } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { checkbox, clearErrors, field, showErrors, values } from "../lib/form.js";
import { input } from "./inputs.js";
import { secretState } from "./limits.js";

// Of what the server itself waits for, and some more for the way.
const MAX_TIMEOUT_S = 30;
const TEST_TIMEOUT_MS = (MAX_TIMEOUT_S + 10) * 1000;
const WORDS = {
  search_products: "search products", get_product: "show a product", get_categories: "list categories",
  check_availability: "check stock", check_order_status: "look up orders", lookup_account: "look up accounts",
};

export const data = {
  name: "data",
  title: "Your shop's data",
  fields: ({ app, config, secrets }) => [
    h("p", { class: "soft" }, "Answers of a model can look up products, stock and orders on your own server. It needs " +
      "one address that answers there."),
    wire(),
    checkbox("Look things up in my shop", "data_api_enabled", config.data_api_enabled),
    field("Address", input("data_api_url", config.data_api_url, {
      type: "url", maxlength: 2000, placeholder: "https://shop.example/vexar-data",
    }), "Asked from the server, never from a visitor's browser."),
    keyField(secrets.data_api_key),
    field("Seconds to wait", input("data_api_timeout", config.data_api_timeout, {
      type: "number", min: 3, max: MAX_TIMEOUT_S, inputmode: "numeric",
    }), "3 to 30. Visitors wait as long; 5 is usual."),
    trial(app.siteId),
  ],
  read: (given) => ({
    data_api_enabled: given.data_api_enabled,
    data_api_url: given.data_api_url.trim(),
    data_api_timeout: Number(given.data_api_timeout),
    ...(given.data_api_key && { data_api_key: given.data_api_key }),
  }),
  saved: (element, { config, secrets }) => {
    element.elements.data_api_key.value = "";
    if (config.data_api_enabled) element.querySelector(".trial-next")?.remove();
    element.querySelector(".secret-state").textContent = secretState(secrets.data_api_key);
    return true;
  },
};

// What whoever builds that address has to know first.
function wire() {
  const asked = '{"action": "search_products", "params": {"query": "wool scarf"}, "site_key": "sk_…", "lang": "en"}';
  const found = '{"success": true, "data": {"products": [{"id": "7", "name": "Wool scarf", "price": "39 EUR"}]}}';
  return h("details", { class: "wire" }, h("summary", {}, "What your server is asked, and what it answers"),
    h("p", {}, "It gets POST requests with the key as ", h("code", {}, "Authorization: Bearer …"), " and this body:"),
    h("code", { class: "code" }, asked),
    h("p", {}, "It answers with status 200 and what it found, or says why not:"),
    h("code", { class: "code" }, found),
    h("code", { class: "code" }, '{"success": false, "error": "There is no such order."}'),
    h("p", {}, "The actions: ", Object.keys(WORDS).join(", "), "; and ping, which the test sends and any success ",
      "answers. An action you do not have is declined with ", h("code", {}, '"code": "unknown_action"'), "."),
    h("p", { class: "soft" }, "All of it, with a small server to begin with: the file docs/data-api.md in the folder " +
      "Vexar was installed from."));
}

// It goes in and never comes out.
function keyField(isSet) {
  const node = field("Key", input("data_api_key", "", {
    type: "password", autocomplete: "new-password", maxlength: 200,
  }), "Sent along with every call, so that your server knows who asks. Empty: stays as it is. Another address needs it " +
    "again.");
  node.querySelector("label").append(" ", h("span", { class: "tag secret-state" }, secretState(isSet)));
  return node;
}

// Asks the endpoint with what the form holds at the moment, saved or not.
function trial(siteId) {
  const said = h("div", { class: "trial-said", role: "status" });
  const button = h("button", { type: "button" }, "Test the connection");
  button.addEventListener("click", () => ask(button, said, siteId));
  return h("div", { class: "trial" }, button, said);
}

async function ask(button, said, siteId) {
  if (button.getAttribute("aria-disabled") === "true") return;
  const element = button.closest("form");
  button.setAttribute("aria-disabled", "true");
  clearErrors(element);
  put(said, h("p", { class: "soft" }, "Asking your server…"));
  try {
    const given = data.read(values(element));
    const answer = await api.post(`sites/${siteId}/data-api/test`, {
      url: given.data_api_url, timeout: given.data_api_timeout,
      ...(given.data_api_key && { key: given.data_api_key }),
    }, TEST_TIMEOUT_MS);
    put(said, ...outcome(answer, given.data_api_enabled));
  } catch (problem) {
    put(said);
    showErrors(element, problem instanceof ApiProblem ? named(problem) : problem);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

// The test names its fields shortly; here they have the names of the settings.
function named(problem) {
  problem.errors = Object.fromEntries(
    Object.entries(problem.errors).map(([name, sentence]) => [`data_api_${name}`, sentence]));
  return problem;
}

function outcome({ ok, error, took_ms: tookMs, detail }, isOn) {
  const can = detail.actions?.map((name) => WORDS[name]).join(", ");
  const works = [`It works: answered in ${tookMs} ms.${can ? ` It can ${can}.` : ""}`,
    !isOn && h("span", { class: "trial-next" }, " Tick the box above and save to use it.")];
  return [
    h("p", { class: ok ? "trial-good" : "form-error" }, ok ? works : error),
    ...detail.warnings.map((sentence) => h("p", { class: "notice" }, sentence)),
  ];
}
