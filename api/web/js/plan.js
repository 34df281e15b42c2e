// What an action would do, in a dialog before it is done.
import { bytes, counted, h, icon, named, t } from "./dom.js";
import { ask } from "./ask.js";
import { dialog } from "./dialog.js";
import { trying } from "./toast.js";

/** Show an action's plan; resolves to the body of its request when the person goes on, null when they do not. */
export async function planned(action) {
  const plan = await trying(() => ask(`POST /api/library/actions/${action}?dry_run=true`));
  return plan ? new Promise((resolve) => open(action, plan, resolve)) : null;
}

function open(action, plan, resolve) {
  let answer = null;
  const go = h("button", { type: "button", class: plan.confirm ? "danger" : "primary", onclick: () => { answer = plan.confirm ? { confirm: plan.confirm } : {}; made.close(); } },
    plan.confirm ? t("library.plan_confirm", { n: plan.confirm }) : t("library.plan_do"));
  const back = h("button", { type: "button", onclick: () => made.close() }, t("shell.cancel"));
  const nothing = action === "delete-missing" && !plan.counts.photos;
  const able = (!plan.refused || plan.confirm) && !nothing;
  const made = dialog(t("library.plan_title", { action: named("library", action) }), told(action, plan, nothing), able ? [back, go] : [back], "plan");
  made.addEventListener("close", () => resolve(answer));
  (able && !plan.confirm ? go : back).focus();
}

function told(action, plan, nothing) {
  const counts = Object.entries(plan.counts).filter(([, n]) => n);
  return [
    h("p", { class: "faint" }, named("library", `${action}-what`)),
    plan.confirm ? warning(t("library.plan_strange"), plan.refused) : plan.refused ? warning(plan.refused) : null,
    nothing && !plan.refused ? h("p", {}, t("library.why_none_missing")) : null,
    !counts.length && !plan.names.length && !plan.refused && !nothing ? h("p", {}, t("library.plan_nothing")) : null,
    counts.length ? h("p", { class: "changed" }, counts.map(([name, n]) => h("span", { class: "chip number" }, counted("library", name, n)))) : null,
    plan.bytes ? h("p", { class: "hint" }, t("library.plan_frees", { size: bytes(plan.bytes) })) : null,
    plan.names.length ? h("p", { class: "label", id: "plan-names" }, t("library.plan_names", { n: plan.names.length })) : null,
    plan.names.length ? h("ul", { class: "folders names", tabindex: "0", "aria-labelledby": "plan-names" }, plan.names.map((name) => h("li", {}, name))) : null,
  ].filter(Boolean);
}

function warning(...lines) {
  return h("div", { class: "note careful" }, icon("warning"), h("div", {}, lines.map((line) => h("p", {}, line))));
}
