// What a JSON schema looks like to a reader: its fields, its rule in words, an example. No DOM, no network.

const MAX_DEPTH = 5;

/** A reader of one OpenAPI document's schemas. */
export class Schemas {
  #components;

  constructor(components) {
    this.#components = components ?? {};
  }

  /** The schema without references, unions with null and `allOf`: one object. */
  plain(schema) {
    if (schema.$ref) {
      return this.plain(this.#components[schema.$ref.split("/").pop()] ?? {});
    }
    if (schema.allOf) {
      const parts = schema.allOf.map((part) => this.plain(part));
      return Object.assign({}, ...parts, {
        properties: mergeProperties(parts),
        required: parts.flatMap((part) => part.required ?? []),
      });
    }
    const kinds = (schema.anyOf ?? []).filter((kind) => kind.type !== "null");
    if (kinds.length !== 1) {
      return schema;
    }
    const { anyOf, ...rest } = schema;
    return { ...this.plain(kinds[0]), ...rest, nullable: anyOf.length > 1 };
  }

  /** Rows `{name, rule, required, description}` of an object, those of nested objects as `outer.inner`. */
  rows(schema, prefix = "", depth = 0) {
    const { properties = {}, required = [] } = this.plain(schema);
    return Object.entries(properties).flatMap(([name, inner]) => {
      const plain = this.plain(inner);
      const path = prefix + name;
      const row = { name: path, rule: this.rule(inner), required: required.includes(name) };
      row.description = inner.description ?? plain.description ?? "";
      return [row, ...this.#nested(plain, path, depth)];
    });
  }

  /** What a value must be, in words. */
  rule(schema) {
    const plain = this.plain(schema);
    const values = plain.enum ?? ("const" in plain ? [plain.const] : null);
    if (values) {
      return values.map((value) => JSON.stringify(value)).join(" | ") + orNull(plain);
    }
    if (plain.anyOf) {
      return plain.anyOf.map((kind) => this.plain(kind).title ?? this.rule(kind)).join(" | ");
    }
    if (plain.type === "array") {
      return `list of ${this.plain(plain.items ?? {}).title ?? this.rule(plain.items ?? {})}` + orNull(plain);
    }
    return scalarRule(plain) + orNull(plain);
  }

  /** An example value; optional fields only where they have an example of their own. */
  example(schema, depth = 0) {
    const plain = this.plain(schema);
    if (plain.examples) {
      return plain.examples[0];
    }
    if ("const" in plain) {
      return plain.const;
    }
    if (plain.default !== undefined && plain.default !== null) {
      return plain.default;
    }
    if (plain.enum) {
      return plain.enum[0];
    }
    if (plain.nullable) {
      return null;
    }
    if (plain.anyOf) {
      return this.example(plain.anyOf[0], depth + 1);
    }
    return this.#exampleOfType(plain, depth);
  }

  #nested(plain, path, depth) {
    if (depth >= MAX_DEPTH) {
      return [];
    }
    if (plain.type === "array") {
      return this.rows(plain.items ?? {}, `${path}[].`, depth + 1);
    }
    return this.rows(plain, `${path}.`, depth + 1);
  }

  #exampleOfType(plain, depth) {
    if (plain.type === "array") {
      return depth < MAX_DEPTH ? [this.example(plain.items ?? {}, depth + 1)] : [];
    }
    if (plain.type === "integer" || plain.type === "number") {
      return plain.maximum < 10 ? plain.maximum : Math.max(plain.minimum ?? 1, 1);
    }
    if (plain.type === "boolean") {
      return true;
    }
    if (plain.properties && depth < MAX_DEPTH) {
      return this.#exampleOfObject(plain, depth);
    }
    return plain.type === "object" || plain.properties ? {} : "…";
  }

  #exampleOfObject(plain, depth) {
    const found = {};
    for (const [name, inner] of Object.entries(plain.properties)) {
      const isTold = (plain.required ?? []).includes(name) || this.plain(inner).examples;
      if (isTold) {
        found[name] = this.example(inner, depth + 1);
      }
    }
    return found;
  }
}

function mergeProperties(parts) {
  const merged = {};
  for (const part of parts) {
    for (const [name, schema] of Object.entries(part.properties ?? {})) {
      merged[name] = { ...merged[name], ...schema };
    }
  }
  return merged;
}

function orNull(plain) {
  return plain.nullable ? " or null" : "";
}

function scalarRule(plain) {
  if (plain.type === "string") {
    const least = plain.minLength > 1 ? `${plain.minLength} to ` : "up to ";
    return plain.maxLength ? `text, ${least}${plain.maxLength} characters` : "text";
  }
  if (plain.type === "integer" || plain.type === "number") {
    const word = plain.type === "integer" ? "whole number" : "number";
    const isOpen = plain.maximum === undefined || plain.maximum > 2 ** 52;
    const high = isOpen ? " or more" : ` to ${plain.maximum}`;
    return plain.minimum === undefined ? word : `${word}, ${plain.minimum}${high}`;
  }
  return { boolean: "true or false", object: plain.title ?? "object" }[plain.type] ?? plain.title ?? "any value";
}
