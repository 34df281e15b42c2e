// Services: their rows stay as they are now, and a service is stopped only after saying what then does not work.
import { h, named, t } from "./dom.js";
import { ask } from "./ask.js";
import { confirmed } from "./dialog.js";
import { toast, trying } from "./toast.js";
import { keep } from "./keep.js";

const EVERY = 4000;

const root = document.querySelector("[data-keep]");
const look = keep(root, EVERY);

async function stop(name) {
  const body = [h("p", {}, `${t("admin.stop_without")} ${named("admin", `without_${name}`)}`), h("p", { class: "faint" }, t("admin.stop_told"))];
  if (!await confirmed(t("admin.stop_title", { name }), body, t("admin.stop"), true)) return;
  if (await trying(() => ask(`POST /api/services/${name}/stop`))) toast(t("admin.stopped_said", { name }), { undo: () => start(name) });
  look();
}

async function start(name) {
  if (await trying(() => ask(`POST /api/services/${name}/start`))) toast(t("admin.started", { name }));
  look();
}

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-stop]");
  if (!button) return;
  event.preventDefault();
  stop(button.dataset.stop);
});

root.addEventListener("sent", (event) => {
  if (!/^POST .*\/start$/.test(event.target.dataset.to)) return;
  event.preventDefault();
  toast(event.target.elements._said.value);
  look();
});
