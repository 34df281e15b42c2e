// Forms of the API: what posting.py does for pages without scripts, done here as the same request, without leaving.
import { t } from "./dom.js";
import { ask } from "./ask.js";
import { later } from "./later.js";
import { toast } from "./toast.js";

const KINDS = {
  "": (text) => text, some: (text) => text, int: (text) => Number(text), float: (text) => Number(text),
  bool: (text) => ["true", "on", "1"].includes(text), list: (text) => text, none: () => [],
};

/** A form's fields as the body of its request, that of the button which sent it too; null for none. */
export function bodyOf(form, submitter = null) {
  const body = {};
  for (const [field, text] of new FormData(form, submitter)) {
    if (field.startsWith("_")) continue;
    const [name, kind = ""] = field.split(":");
    if (text === "" && !["", "list", "none"].includes(kind)) continue;
    if (kind === "list") (body[name] ??= []).push(text);
    else body[name] = KINDS[kind](text);
  }
  return Object.keys(body).length ? body : undefined;
}

/** Send a form's request; a `sent` event with the answer follows on the form, and unless it is cancelled the next page. */
export async function send(form, submitter = null) {
  const body = bodyOf(form, submitter);
  const to = submitter?.name === "_to" ? submitter.value : form.dataset.to;
  const buttons = [...form.querySelectorAll("button")].filter((button) => !button.disabled);
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await ask(to, body);
    const goOn = form.dispatchEvent(new CustomEvent("sent", { bubbles: true, cancelable: true, detail: answer }));
    if (goOn) follow(form);
  } catch (problem) {
    toast(problem.message, { wrong: true });
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function follow(form) {
  const back = form.elements._back?.value ?? location.pathname;
  const said = form.elements._said?.value || t("shell.done");
  later(said);
  if (back === location.pathname + location.search) location.reload();
  else location.assign(back);
}

/** Have every form of the API sent by script. */
export function listen() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.to) return;
    event.preventDefault();
    send(form, event.submitter);
  });
}
