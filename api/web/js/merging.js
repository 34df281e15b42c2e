// Saying that some people are one: asked in a dialog which of them stays, sent, and told with a way back.
import { h, icon, t } from "./dom.js";
import { confirmed, dialog } from "./dialog.js";
import { face } from "./faces.js";
import { trying } from "./toast.js";
import { get } from "./ask.js";
import { said } from "./saying.js";

const called = (person) => person.name || t("people.unnamed");

/** What is known of somebody on the page, or asked for. */
export function person(id) {
  return get(`/api/people/${encodeURIComponent(id)}`);
}

/** Ask whether some people are one and who stays; resolves to [into, others] or null. `first` is chosen at the start. */
export function asked(people, first = null) {
  return new Promise((resolve) => {
    const named = people.filter((one) => one.name);
    const choices = named.length ? named : people.slice(0, 1);
    let into = choices.find((one) => one.person_id === first) ?? choices[0];
    let yes = false;
    const stays = h("p", { class: "hint", "aria-live": "polite" });
    const tell = () => { stays.textContent = into.name ? t("people.merge_stays", { name: into.name }) : t("people.merge_nameless"); };
    const choice = (one) => h("label", { class: "merge-choice" },
      h("input", { type: "radio", name: "stays", value: one.person_id, checked: one === into, onchange: () => { into = one; tell(); } }),
      face(one.cover, 72), h("span", {}, called(one)));
    const others = named.length ? people.filter((one) => !choices.includes(one)) : people;
    const body = [
      named.length ? h("p", {}, t("people.merge_choose")) : null,
      named.length ? h("div", { class: "merge-choices", role: "radiogroup", "aria-label": t("people.merge_title") }, choices.map(choice)) : null,
      others.length ? h("div", { class: "merge-others" }, others.map((one) => face(one.cover, named.length ? 48 : 96, { label: called(one) }))) : null,
      stays,
    ];
    const go = h("button", { type: "button", class: "primary", onclick: () => { yes = true; made.close(); } }, icon("merge"), t("people.merge_yes"));
    const made = dialog(t("people.merge_title"), body, [h("button", { type: "button", onclick: () => made.close() }, t("shell.cancel")), go]);
    tell();
    made.addEventListener("close", () => resolve(yes ? [into, people.filter((one) => one !== into)] : null));
    go.focus();
  });
}

/** Have some people be one, without asking; resolves to [the person, the act's id], undefined if it failed. */
export function merge(into, others) {
  return trying(() => said("POST /api/people/merge", { into: into.person_id, others: others.map((one) => one.person_id) }));
}

/** Ask whether faces are somebody's who has that name already. */
export function same(known) {
  const body = h("div", { class: "merge-same" }, face(known.cover, 120), h("p", {}, t("people.name_taken_told", { name: known.name })));
  return confirmed(t("people.name_taken", { name: known.name }), body, t("people.name_taken_yes", { name: known.name }));
}

/** What to tell of a merger. */
export function mergedText(into, others) {
  const names = others.map((one) => one.name).filter(Boolean);
  if (!into.name) return t("people.merged");
  return names.length ? t("people.merged_into", { names: names.join(", "), name: into.name }) : t("people.merged_faces", { name: into.name });
}
