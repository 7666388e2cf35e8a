// Draws the API's page from /openapi.json. Everything from the document enters as text nodes.

import { Schemas } from "./example.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
let schemas;

load();

async function load() {
  const about = document.querySelector("#about");
  try {
    const answer = await fetch("/openapi.json");
    draw(await answer.json());
  } catch (problem) {
    about.textContent = "The description of the API could not be loaded; reload to try again.";
    console.warn("vexar:", problem);
  }
}

function draw(api) {
  schemas = new Schemas(api.components.schemas);
  document.title = `${api.info.title} API ${api.info.version}`;
  document.querySelector("#about").textContent = `Version ${api.info.version}. ${api.info.description}`;
  const list = document.querySelector("#list");
  const main = document.querySelector("#main");
  for (const tag of api.tags) {
    const operations = operationsOf(api, tag.name);
    list.append(element("h2", {}, tag.name), element("ul", {}, ...operations.map(entry)));
    main.append(element("h2", { className: "tag" }, tag.name), ...operations.map(section));
  }
  document.querySelector("#filter").addEventListener("input", filter);
  document.querySelector(`[id="${CSS.escape(location.hash.slice(1))}"]`)?.scrollIntoView();
}

function operationsOf(api, tag) {
  const found = [];
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (item[method]?.tags.includes(tag)) {
        found.push({ ...item[method], path, method });
      }
    }
  }
  return found;
}

function entry(operation) {
  const link = element("a", { href: `#${operation.operationId}` }, badge(operation.method), pathText(operation.path));
  return element("li", {}, link);
}

function pathText(path) {
  const parts = path.split("/").flatMap((part, n) => (n ? [document.createElement("wbr"), `/${part}`] : [part]));
  return element("code", { className: "path" }, ...parts);
}

function section(operation) {
  const title = element("h3", {}, badge(operation.method), pathText(operation.path));
  const parts = [
    title,
    operation.summary && element("p", { className: "summary" }, operation.summary),
    operation.description && element("p", {}, operation.description),
    operation.security && element("p", { className: "quiet" }, "Needs Authorization: Bearer …"),
    fieldsPart("Parameters", parameterRows(operation.parameters ?? [])),
    ...bodyParts(operation.requestBody),
    examplePart("Example", curl(operation)),
    ...answerParts(operation),
  ];
  return element("section", { id: operation.operationId }, ...parts);
}

function parameterRows(parameters) {
  return parameters.map(({ name, required, schema, in: place }) => ({
    name,
    required,
    rule: schemas.rule(schema) + (place === "path" ? ", in the path" : "") + byDefault(schema),
    description: schema.description ?? "",
  }));
}

function byDefault(schema) {
  return schema.default === undefined ? "" : `, by default ${JSON.stringify(schema.default)}`;
}

function bodyParts(requestBody) {
  return Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) =>
    fieldsPart(`Body, ${type}`, schemas.rows(schema)),
  );
}

function answerParts(operation) {
  const parts = [element("h4", {}, "Answers")];
  for (const [status, response] of Object.entries(operation.responses)) {
    parts.push(Number(status) < 400 ? goodAnswer(status, response) : badAnswer(status, response));
  }
  return parts;
}

function goodAnswer(status, response) {
  const details = element("details", { open: true }, summary(status, response.description));
  for (const [type, media] of Object.entries(response.content ?? {})) {
    if (media.itemSchema) {
      details.append(...streamParts(media.itemSchema.properties.data.contentSchema));
    } else {
      const example = JSON.stringify(schemas.example(media.schema), null, 2);
      details.append(element("p", { className: "quiet" }, type), rowsList(schemas.rows(media.schema)), code(example));
    }
  }
  return details;
}

function streamParts(event) {
  const plain = schemas.plain(event);
  const kinds = plain.anyOf ?? [event];
  const intro = element("p", { className: "quiet" }, "text/event-stream; each event is one of these as JSON after data:");
  const lines = kinds.map((kind) => `data: ${JSON.stringify(schemas.example(kind))}`);
  const lists = kinds.map((kind) => rowsList(schemas.rows(kind)));
  return [intro, code(lines.join("\n\n")), ...lists];
}

function badAnswer(status, response) {
  const schema = schemas.plain(response.content["application/json"].schema);
  const codes = schema.properties.code.enum.flatMap((name) => [element("code", {}, name), " "]);
  return element("p", { className: "error" }, element("b", {}, status), " ", ...codes, response.description);
}

function summary(status, text) {
  return element("summary", {}, element("b", {}, status), ` ${text}`);
}

function fieldsPart(title, rows) {
  return rows.length ? element("div", {}, element("h4", {}, title), rowsList(rows, true)) : null;
}

function rowsList(rows, isAsked = false) {
  return element("dl", {}, ...rows.flatMap(({ name, rule, required, description }) => [
    element("dt", {}, element("code", {}, name), isAsked && required && element("span", { className: "required" }, "required")),
    element("dd", {}, element("span", { className: "rule" }, rule), description && ` – ${description}`),
  ]));
}

function examplePart(title, text) {
  return element("div", {}, element("h4", {}, title), code(text));
}

function code(text) {
  return element("pre", { tabIndex: 0 }, element("code", {}, text));
}

function curl(operation) {
  const query = (operation.parameters ?? [])
    .filter((parameter) => parameter.in === "query" && (parameter.required || parameter.schema.examples))
    .map(({ name, schema }) => `${name}=${encodeURIComponent(schemas.example(schema))}`);
  const address = location.origin + operation.path + (query.length ? `?${query.join("&")}` : "");
  const isStream = operation.responses["200"]?.content?.["text/event-stream"];
  const verb = operation.method === "get" ? "" : `-X ${operation.method.toUpperCase()} `;
  const lines = [`curl ${isStream ? "-N " : ""}${verb}'${address}'`, ...curlBody(operation.requestBody)];
  if (operation.security) {
    lines.push("-H 'Authorization: Bearer …'");
  }
  return lines.join(" \\\n  ");
}

function curlBody(requestBody) {
  const json = requestBody?.content["application/json"];
  if (json) {
    const body = JSON.stringify(schemas.example(json.schema)).replaceAll("'", "'\\''");
    return ["-H 'Content-Type: application/json'", `-d '${body}'`];
  }
  const form = requestBody?.content["multipart/form-data"];
  if (!form) {
    return [];
  }
  const files = Object.keys(form.encoding);
  const fields = Object.entries(schemas.example(form.schema)).filter(([name]) => !files.includes(name));
  return [...fields.map(([name, value]) => `-F '${name}=${value}'`), ...files.map((name) => `-F '${name}=@file'`)];
}

function filter(event) {
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of document.querySelectorAll("#list li")) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  }
}

function badge(method) {
  return element("span", { className: `method ${method}` }, method.toUpperCase());
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
}
