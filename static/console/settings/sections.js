// The sections of the settings. Each has {name, title} and either `fields(context)` with `read(values, form)`, which
// gives what is sent, or `draw(context)` for what is no form.

import { h } from "../lib/dom.js";
import { checkbox, field, select } from "../lib/form.js";
import { Hours } from "./hours.js";
import { site } from "./site.js";
import { tag } from "./tag.js";

const input = (name, value, properties = {}) => h("input", { name, value: value ?? "", ...properties });
const area = (name, value, properties = {}) => h("textarea", { name, value: value ?? "", ...properties });
const number = (name, value, max) => input(name, value, { type: "number", min: 0, max, inputmode: "numeric" });
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

const looks = {
  name: "looks",
  title: "Looks",
  hasPreview: true,
  fields: ({ config }) => [
    field("Name", input("bot_name", config.bot_name, { maxlength: 100 }), "In the head of the chat."),
    field("Picture (web address)", input("bot_avatar_url", config.bot_avatar_url, { type: "url" })),
    h("div", { class: "columns" },
      field("Colour", input("primary_color", config.primary_color, { type: "color" }), "Text on it stays legible by itself."),
      field("Head colour", input("header_color", config.header_color || config.primary_color, { type: "color" }))),
    h("div", { class: "columns" },
      field("Place", select("position", [["right", "Right"], ["left", "Left"]], config.position)),
      field("Button", select("button_style", [["round", "Round"], ["square", "Square"]], config.button_style))),
    field("Welcome", area("welcome_message", config.welcome_message, { rows: 3 })),
    field("Starters", area("starters", config.starters.join("\n"), { rows: 4 }), "Questions to begin with, one a line."),
    checkbox("Visitors may send images", "photo_upload_enabled", config.photo_upload_enabled),
  ],
  read: (given) => ({ ...given, bot_avatar_url: given.bot_avatar_url || null, starters: lines(given.starters) }),
};

const answers = {
  name: "answers",
  title: "Answers",
  fields: ({ config }) => [
    field("Style", select("behavior_preset", PRESETS, config.behavior_preset)),
    field("Tone", select("behavior_tone", TONES, config.behavior_tone)),
    field("Goals", area("behavior_goals", config.behavior_goals.join("\n"), { rows: 3 }), "What answers should lead to, one a line."),
    field("Instructions", area("custom_instructions", config.custom_instructions, { rows: 5 }), "What the AI should always keep in mind about your shop."),
    field("System prompt", area("system_prompt", config.system_prompt, { rows: 5 }), "Replaces Vexar's own beginning; leave it empty unless you know you need it."),
    field("Model", input("ai_model", config.ai_model, { maxlength: 200 }), "Empty: the one of the server's settings."),
  ],
  read: (given) => ({ ...given, behavior_goals: lines(given.behavior_goals) }),
};

const PRESETS = [["", "Default"], ["support", "Solve problems"], ["sales", "Help to choose and buy"], ["concierge", "Guide through the website"], ["leads", "Find out what is needed"]];
const TONES = [["", "Default"], ...["friendly", "professional", "casual", "formal", "empathetic", "playful"].map((tone) => [tone, tone[0].toUpperCase() + tone.slice(1)])];
const STRATEGIES = [["", "The AI does not ask"], ["gentle", "The AI offers it once"], ["direct", "The AI asks early on"]];

const contact = {
  name: "contact",
  title: "Contact form",
  hasPreview: true,
  fields: ({ config }) => [
    field("Ask for", select("collect_data", [["none", "Nothing"], ["email", "Email"], ["phone", "Phone"], ["both", "Email and phone"]], config.collect_data)),
    field("When", select("lead_when", LEAD_WHEN, config.lead_when)),
    field("In the conversation", select("lead_strategy", STRATEGIES, config.lead_strategy)),
    checkbox("Ask for an email when nobody is there", "collect_email", config.collect_email),
  ],
  read: (given) => given,
};

const LEAD_WHEN = [
  ["never", "Never by itself"], ["start", "Before the first message"], ["after_answer", "After the first answer"],
];

const people = {
  name: "people",
  title: "People",
  fields: ({ config }) => [
    checkbox("People answer here", "operator_enabled", config.operator_enabled, "Off: visitors are not offered a person."),
    field("A waiting visitor is shown to", select("operator_routing", [["all", "Everybody"], ["least_busy", "Whoever has least to do"], ["one", "One person"]], config.operator_routing)),
    h("fieldset", {}, h("legend", {}, "Clocks, in seconds; 0 switches one off"),
      h("div", { class: "columns" },
        field("Nobody accepts", number("operator_timeout", config.operator_timeout, 86_400), "Back to the AI."),
        field("No first reply", number("first_reply_timeout", config.first_reply_timeout, 86_400), "Back to the AI."),
        field("No further reply", number("reply_timeout", config.reply_timeout, 86_400), "Back to the AI."),
        field("The visitor is silent", number("visitor_timeout", config.visitor_timeout, 604_800), "The conversation is closed."))),
    new Hours(config.working_hours).node,
  ],
  read: (given, element) => {
    const numbers = ["operator_timeout", "first_reply_timeout", "reply_timeout", "visitor_timeout"];
    return {
      operator_enabled: given.operator_enabled,
      operator_routing: given.operator_routing,
      ...Object.fromEntries(numbers.map((name) => [name, Number(given[name])])),
      working_hours: Hours.read(element),
    };
  },
};

const limits = {
  name: "limits",
  title: "Limits and privacy",
  fields: ({ config }) => [
    field("Websites that may use the widget", area("allowed_origins", config.allowed_origins.join("\n"), { rows: 3 }), "One a line, such as https://shop.example; * for any."),
    h("div", { class: "columns" },
      field("Messages a month", number("messages_per_month", config.messages_per_month), "0: no limit."),
      field("Tokens a day", number("tokens_per_day", config.tokens_per_day), "0: no limit."),
      field("Keep conversations, days", number("retention_days", config.retention_days, 3650), "0: for good.")),
    checkbox("Only signed-in visitors", "identity_required", config.identity_required, "Your page proves who they are, see identify() in the docs."),
    field("Identity secret", input("identity_secret", "", { type: "password", autocomplete: "off" }), "Write only. Empty: stays as it is."),
  ],
  read: (given) => ({
    allowed_origins: lines(given.allowed_origins),
    messages_per_month: Number(given.messages_per_month),
    tokens_per_day: Number(given.tokens_per_day),
    retention_days: Number(given.retention_days),
    identity_required: given.identity_required,
    ...(given.identity_secret && { identity_secret: given.identity_secret }),
  }),
};

export const SECTIONS = [looks, answers, contact, people, limits, tag, site];
