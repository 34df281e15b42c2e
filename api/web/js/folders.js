// Choosing a folder of the server in a dialog: one goes in and up; whoever chose gets the path.
import { h, icon, put, t } from "./dom.js";
import { at, get } from "./ask.js";
import { dialog } from "./dialog.js";
import { trying } from "./toast.js";

/** Ask for a folder, beginning at a path; resolves to its path, or to null when nobody chose. */
export function chosenFolder(from) {
  return new Promise((resolve) => {
    let here = null;
    let chosen = null;
    const path = h("p", { class: "path", "aria-live": "polite" });
    const list = h("ul", { class: "folders", tabindex: "0" });
    const why = h("p", { class: "hint" });
    const take = h("button", { type: "button", class: "primary", onclick: () => { chosen = here.path; made.close(); } }, icon("check"), t("door.folder_take"));
    const cancel = h("button", { type: "button", onclick: () => made.close() }, t("shell.cancel"));
    const made = dialog(t("admin.folder_title"), [path, list, why], [cancel, take]);
    const entry = (target, picture, text) => h("li", {}, h("button", { type: "button", class: "plain", onclick: () => go(target) }, icon(picture), h("span", {}, text)));

    async function go(target) {
      const told = await trying(() => get(at("/api/server/folders", { path: target || "/" })));
      if (!told) return;
      here = told;
      put(path, icon("folder"), told.path);
      const start = told.path === "/" ? told.suggested.map((one) => entry(one.path, "folder", one.path)) : [];
      const inside = told.folders.map((one) => entry(one.path, "folder", one.name));
      put(list, told.parent ? entry(told.parent, "up", t("door.folder_up")) : null, start, inside,
        inside.length ? null : h("li", { class: "empty" }, t("door.folder_empty")));
      list.querySelector("button")?.focus();
      why.textContent = told.refused || (told.more ? t("door.folder_more") : "");
      take.disabled = Boolean(told.refused);
    }

    made.addEventListener("close", () => resolve(chosen));
    go(from).then(() => { if (!here) go("/"); });
  });
}
