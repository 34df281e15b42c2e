// Draws /schema/openapi.json as a page. Everything it shows is set as text, and it asks no other host for anything.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Text with `code` in it.
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function resolved(schema, root) {
  const reference = schema && schema.$ref;
  return reference ? reference.slice(2).split("/").reduce((found, key) => found[key], root) : schema;
}

// A schema as the shape of an example: `{"name": "string", "tags": ["string"]}`. Known ones stop recursion.
function shape(schema, root, above = []) {
  const known = schema && schema.$ref;
  if (known && above.includes(known)) return "…";
  const trail = known ? [...above, known] : above;
  const own = resolved(schema, root) || {};
  const choices = own.oneOf || own.anyOf || own.allOf;
  if (choices) {
    const some = choices.filter((choice) => choice.type !== "null");
    return some.length === 1 ? shape(some[0], root, trail) : some.map((choice) => shape(choice, root, trail));
  }
  if (own.enum) return own.enum.join(" | ");
  if (own.properties) {
    return Object.fromEntries(Object.entries(own.properties).map(([key, part]) => [key, shape(part, root, trail)]));
  }
  if (own.type === "array") return [shape(own.items, root, trail)];
  if (own.type === "object" && own.additionalProperties) return { "…": shape(own.additionalProperties, root, trail) };
  const type = Array.isArray(own.type) ? own.type.join(" | ") : own.type || "any";
  return own.format ? `${type} (${own.format})` : type;
}

function typeOf(schema, root) {
  const found = shape(schema, root);
  const text = typeof found === "string" ? found : JSON.stringify(found);
  const own = resolved(schema, root) || {};
  const limits = ["minimum", "maximum", "minLength", "maxLength"].filter((key) => key in own);
  return [text, ...limits.map((key) => `${key} ${own[key]}`), ...("default" in own ? [`default ${JSON.stringify(own.default)}`] : [])].join(", ");
}

function parameters(operation, root) {
  const list = operation.parameters || [];
  if (!list.length) return null;
  const rows = list.map((one) => {
    const parameter = resolved(one, root);
    return element("tr", {}, element("td", {}, element("code", {}, parameter.name)), element("td", {}, parameter.in),
      element("td", {}, typeOf(parameter.schema, root) + (parameter.required ? ", required" : "")),
      element("td", {}, ...prose(parameter.description || "")));
  });
  return element("section", {}, element("h3", {}, "Parameters"), element("table", {}, ...rows));
}

function content(title, part, root) {
  const media = part && Object.entries(part.content || {})[0];
  if (!media) return null;
  const [type, { schema }] = media;
  const drawn = shape(schema, root);  // bytes and streams have none worth drawing
  return element("section", {}, element("h3", {}, `${title} · ${type}`),
    typeof drawn === "string" ? null : element("pre", {}, JSON.stringify(drawn, null, 2)));
}

// The default answer is a problem document everywhere; its shape is not repeated with each operation.
function responses(operation, root) {
  return Object.entries(operation.responses || {}).map(([status, response]) => {
    if (status === "default") return element("h3", {}, `Otherwise: ${response.description}`);
    const title = `Answer ${status}`;
    return content(title, resolved(response, root), root) || element("h3", {}, title);
  });
}

function drawn(path, method, operation, root) {
  const summary = element("summary", {}, element("span", { class: `method ${method}` }, method), element("code", {}, path),
    element("span", { class: "rule" }, operation["x-access"] || "public"), element("span", {}, operation.summary || ""));
  const paragraphs = (operation.description || "").split(/\n\s*\n/).filter((text) => text.trim());
  const body = element("div", {}, ...paragraphs.map((text) => element("p", {}, ...prose(text))), parameters(operation, root), content("Body", resolved(operation.requestBody, root), root), ...responses(operation, root));
  return element("details", { id: `${method}-${path}`, "data-text": `${method} ${path} ${operation.summary || ""}`.toLowerCase() }, summary, body);
}

function operationsByTag(root) {
  const groups = new Map();
  for (const [path, item] of Object.entries(root.paths)) {
    for (const method of METHODS.filter((name) => name in item)) {
      const tag = (item[method].tags || ["other"])[0];
      groups.set(tag, [...(groups.get(tag) || []), drawn(path, method, item[method], root)]);
    }
  }
  return groups;
}

function draw(root) {
  document.getElementById("about").textContent = `${root.info.description || ""} Version ${root.info.version}.`;
  for (const [tag, operations] of operationsByTag(root)) {
    document.getElementById("operations").append(element("section", { class: "tag" }, element("h2", {}, tag), ...operations));
  }
  show(document.getElementById("filter").value);
  openLinked();
}

// Only what has the text in it; a heading with nothing below it goes too.
function show(text) {
  for (const operation of document.querySelectorAll("details")) {
    operation.hidden = !operation.dataset.text.includes(text.trim().toLowerCase());
  }
  for (const section of document.querySelectorAll(".tag")) section.hidden = !section.querySelector("details:not([hidden])");
  document.getElementById("nothing").hidden = document.querySelector(".tag:not([hidden])") !== null;
}

// An address like /schema#get-/api/photos opens that operation.
function openLinked() {
  const operations = [...document.querySelectorAll("details")];
  const linked = operations.find(({ id }) => [`#${id}`, encodeURI(`#${id}`)].includes(location.hash));
  if (linked) {
    linked.open = true;
    linked.scrollIntoView();
  }
}

document.getElementById("filter").addEventListener("input", ({ target }) => show(target.value));
window.addEventListener("hashchange", openLinked);

fetch("/schema/openapi.json")
  .then((answer) => answer.json())
  .then(draw)
  .catch((error) => { document.getElementById("about").textContent = `openapi.json cannot be read: ${error}`; });
