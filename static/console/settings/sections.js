// The sections of the settings. Each has {name, title} and either `fields(context)` with `read(values, form)`, which
// gives what is sent, or `draw(context)` for what is no form. `saved(form, known)` is called after the answer.

import { h } from "../lib/dom.js";
import { checkbox, field, select } from "../lib/form.js";
import { data } from "./data.js";
import { Hours } from "./hours.js";
import { area, input, lines, number, shownWhen } from "./inputs.js";
import { limits } from "./limits.js";
import { site } from "./site.js";
import { tag } from "./tag.js";

const looks = {
  name: "looks",
  title: "Looks",
  hasPreview: true,
  fields: ({ config }) => {
    const own = checkbox("The head has a colour of its own", "has_header", Boolean(config.header_color));
    const header = field("Head colour", input("header_color", config.header_color || config.primary_color,
      { type: "color" }));
    return [
      field("Name", input("bot_name", config.bot_name, { maxlength: 100, required: true }), "In the head of the chat."),
      field("Picture (web address)", input("bot_avatar_url", config.bot_avatar_url, { type: "url" }),
        "Empty: the initial of the name."),
      h("div", { class: "columns" },
        field("Colour", input("primary_color", config.primary_color, { type: "color" }),
          "Text on it stays legible by itself."),
        h("div", { class: "form" }, own, shownWhen(own, header))),
      h("div", { class: "columns" },
        field("Place", select("position", [["right", "Right"], ["left", "Left"]], config.position)),
        field("Button", select("button_style", [["round", "Round"], ["square", "Square"]], config.button_style))),
      field("Welcome", area("welcome_message", config.welcome_message, { rows: 3, maxlength: 2000, dir: "auto" })),
      field("Starters", area("starters", config.starters.join("\n"), { rows: 4, dir: "auto" }),
        "Questions to begin with, one a line; eight at most."),
      checkbox("Visitors may send images", "photo_upload_enabled", config.photo_upload_enabled),
    ];
  },
  read: ({ has_header: hasHeader, ...given }) => ({
    ...given, header_color: hasHeader ? given.header_color : "", bot_avatar_url: given.bot_avatar_url || null,
    starters: lines(given.starters),
  }),
};

const PRESETS = [
  ["", "Usual"], ["support", "Solve problems"], ["sales", "Help to choose and buy"],
  ["concierge", "Guide through the website"], ["leads", "Find out what is needed"],
];
const TONES = [["", "Usual"], ...["friendly", "professional", "casual", "formal", "empathetic", "playful"]
  .map((tone) => [tone, tone[0].toUpperCase() + tone.slice(1)])];

const answers = {
  name: "answers",
  title: "Answers",
  fields: ({ config, ai }) => {
    const usual = ai.providers.find((one) => one.id === ai.default);
    // The one in use is offered even where it is away at the moment.
    const offered = ai.providers.filter((one) => one.is_available || one.id === config.ai_provider);
    const models = h("datalist", { id: "models" }, ai.providers.flatMap((one) => one.models)
      .map((model) => h("option", { value: model })));
    return [
      h("div", { class: "columns" },
        field("Who answers", select("ai_provider", [
          ["", `Usual: ${usual?.name || ai.default}`], ...offered.map((one) => [one.id, one.name]),
        ], config.ai_provider)),
        field("Model", input("ai_model", config.ai_model, { maxlength: 200, list: "models" }),
          "Empty: the one of the server's settings."), models),
      h("div", { class: "columns" },
        field("Style", select("behavior_preset", PRESETS, config.behavior_preset)),
        field("Tone", select("behavior_tone", TONES, config.behavior_tone))),
      field("Goals", area("behavior_goals", config.behavior_goals.join("\n"), { rows: 3 }),
        "What answers should lead to, one a line; ten at most."),
      field("Instructions", area("custom_instructions", config.custom_instructions, { rows: 5, maxlength: 16000 }),
        "What the AI should always keep in mind about your shop."),
      field("System prompt", area("system_prompt", config.system_prompt, { rows: 4, maxlength: 16000 }),
        "Replaces Vexar's own beginning; leave it empty unless you know you need it."),
      field("Confidence", input("answer_threshold", config.answer_threshold, {
        type: "number", min: 0, max: 1, step: 0.01,
      }), "From 0 to 1: how sure an answer from your knowledge has to be. 0: the usual."),
    ];
  },
  read: (given) => ({
    ...given, behavior_goals: lines(given.behavior_goals), answer_threshold: Number(given.answer_threshold),
  }),
};

const STRATEGIES = [
  ["", "The AI does not ask"], ["gentle", "The AI offers it once"], ["direct", "The AI asks early on"],
];
const ASKED = [["none", "Nothing"], ["email", "Email"], ["phone", "Phone"], ["both", "Email and phone"]];
const LEAD_WHEN = [
  ["never", "Never by itself"], ["start", "Before the first message"], ["after_answer", "After the first answer"],
];

const contact = {
  name: "contact",
  title: "Contact form",
  hasPreview: true,
  fields: ({ config }) => [
    field("Ask for", select("collect_data", ASKED, config.collect_data)),
    field("When", select("lead_when", LEAD_WHEN, config.lead_when)),
    field("In the conversation", select("lead_strategy", STRATEGIES, config.lead_strategy)),
    checkbox("Ask for an email when nobody is there", "collect_email", config.collect_email),
  ],
  read: (given) => given,
};

const ROUTES = [["all", "Everybody"], ["least_busy", "Whoever has least to do"], ["one", "One person"]];
const CLOCKS = [
  ["operator_timeout", "Nobody accepts", "Back to the AI."],
  ["first_reply_timeout", "No first reply", "Back to the AI."],
  ["reply_timeout", "No further reply", "Back to the AI."],
  ["visitor_timeout", "The visitor is silent", "The conversation is closed."],
];
const WEEK_S = 604_800;

const people = {
  name: "people",
  title: "People",
  fields: ({ config, colleagues }) => {
    const routing = field("A waiting visitor is shown to",
      select("operator_routing", ROUTES, config.operator_routing));
    const chatting = colleagues.filter((one) => one.is_owner || one.can_chat);
    const person = field("Who", select("operator_id", [
      ["", "Choose somebody"], ...chatting.map((one) => [one.id, one.name]),
    ], config.operator_id), "Only this person is told of waiting visitors.");
    return [
      checkbox("People answer here", "operator_enabled", config.operator_enabled,
        "Off: visitors are not offered a person."),
      h("div", { class: "columns" }, routing, shownWhen(routing, person, "one")),
      h("fieldset", {}, h("legend", {}, "Clocks"),
        h("p", { class: "hint" }, "In seconds; 0 switches one off."),
        h("div", { class: "columns" },
          CLOCKS.map(([name, title, then]) => field(title, number(name, config[name], WEEK_S), then)))),
      new Hours(config.working_hours).node,
    ];
  },
  read: (given, element) => ({
    operator_enabled: given.operator_enabled,
    operator_routing: given.operator_routing,
    // Null is refused beside the field, which asks for somebody.
    ...(given.operator_routing === "one" && { operator_id: Number(given.operator_id) || null }),
    ...Object.fromEntries(CLOCKS.map(([name]) => [name, Number(given[name])])),
    working_hours: Hours.read(element),
  }),
};

export const SECTIONS = [looks, answers, contact, people, data, limits, tag, site];
