// The Nextcloud section: consent in the browser, and the tree that folders are chosen in.
import { h, icon, put, t } from "./dom.js";
import { ask, at, get } from "./ask.js";
import { dialog } from "./dialog.js";
import { toast, trying } from "./toast.js";

const POLL = 3000;

/** Make the section quicker; it works without. */
export function nextcloud(section) {
  if (!section) return;
  consent(section);
  section.querySelector("[data-submits]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
  section.querySelector("[data-choose]")?.addEventListener("click", (event) => {
    event.preventDefault();
    choose();
  });
}

function consent(section) {
  const button = section.querySelector("[data-consent]");
  if (!button) return;
  const told = section.querySelector("[data-consent-told]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = section.querySelector("#cloud-server");
    if (!field.reportValidity()) return;
    const begun = await trying(() => ask("POST /api/nextcloud/login", { server: field.value }));
    if (!begun || !/^https?:\/\//i.test(begun.url)) return; // the server's word for where to go
    put(told, h("a", { class: "button primary", href: begun.url, target: "_blank", rel: "noopener noreferrer" }, icon("link"), t("nextcloud.consent_open")), h("span", {}, t("nextcloud.consent_waiting")));
    poll(begun.login_id, Date.now() + begun.expires_in_s * 1000, told);
  });
}

async function poll(id, until, told) {
  while (Date.now() < until && told.isConnected) {
    await new Promise((resolve) => { setTimeout(resolve, POLL); });
    const answer = await get(`/api/nextcloud/login/${id}`).catch((problem) => problem);
    if (answer instanceof Error) { put(told, answer.message); return; }
    if (answer.granted) { location.reload(); return; }
  }
}

async function choose() {
  const now = await trying(() => get("/api/nextcloud"));
  if (!now) return;
  const chosen = new Set(now.folders);
  const count = h("p", { class: "hint", role: "status" });
  const update = () => put(count, t("nextcloud.chosen_n", { n: chosen.size }));
  const tree = h("ul", { class: "tree", "aria-label": t("nextcloud.choose_title") });
  const all = branch({ path: "", name: t("nextcloud.everything"), count: -1 }, chosen, update);
  tree.append(all);
  const save = h("button", { type: "button", class: "primary" }, t("nextcloud.choose_save"));
  const cancel = h("button", { type: "button", onclick: () => made.close() }, t("shell.cancel"));
  const made = dialog(t("nextcloud.choose_title"), [h("p", { class: "faint" }, t("nextcloud.choose_hint")), tree, count], [cancel, save], "cloud");
  update();
  save.addEventListener("click", async () => {
    const kept = [...chosen].filter((path) => ![...chosen].some((other) => other !== path && (other === "" || path.startsWith(`${other}/`))));
    if (await trying(() => ask("PATCH /api/nextcloud", { folders: kept }))) { made.close(); toast(t("shell.done")); location.reload(); }
  });
  await all.openBranch();
}

/** One folder of the tree: a box to choose it, and a button that shows what is in it. */
function branch(folder, chosen, update) {
  const inner = h("ul", { hidden: true });
  const box = h("input", { type: "checkbox", checked: chosen.has(folder.path), "data-path": folder.path });
  const open = h("button", { type: "button", class: "plain small round", "aria-expanded": "false", "aria-label": t("nextcloud.open_folder", { name: folder.name }) }, icon("right"));
  const item = h("li", {}, h("div", { class: "branch" }, open, h("label", { class: "check" }, box, icon("folder"), h("span", {}, folder.name),
    folder.count >= 0 ? h("span", { class: "faint" }, t("nextcloud.entries", { n: folder.count })) : null)), inner);
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(folder.path);
    else chosen.delete(folder.path);
    cover(inner, box.checked);
    update();
  });
  item.openBranch = () => toggle(true);
  open.addEventListener("click", () => toggle(inner.hidden));

  async function toggle(wanted) {
    open.setAttribute("aria-expanded", String(wanted));
    inner.hidden = !wanted;
    if (!wanted || inner.dataset.read) return;
    put(inner, h("li", { class: "row" }, h("span", { class: "spinner" }), t("shell.loading")));
    const told = await trying(() => get(at("/api/nextcloud/folders", { path: folder.path })));
    if (!told) { put(inner); inner.hidden = true; open.setAttribute("aria-expanded", "false"); return; }
    inner.dataset.read = "true";
    const found = told.folders.map((one) => branch(one, chosen, update));
    put(inner, found.length ? found : h("li", { class: "faint" }, t("door.folder_empty")), told.more ? h("li", { class: "hint" }, t("nextcloud.more")) : null);
    cover(inner, box.checked || box.disabled);
  }
  return item;
}

/** Folders below a chosen one are scanned with it: their boxes say so, and cannot be taken out alone. */
function cover(list, covered) {
  for (const box of list.querySelectorAll("input[type=checkbox]")) {
    if (covered) box.dataset.own ??= String(box.checked);
    if (covered) box.checked = true;
    else if (box.dataset.own !== undefined) { box.checked = box.dataset.own === "true"; delete box.dataset.own; }
    box.disabled = covered;
  }
}
