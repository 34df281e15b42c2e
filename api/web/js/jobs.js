// Jobs as they run: drawn as templates/jobs.html draws them, and steered from here.
import { counted, h, icon, lasting, named, number, put, t, time } from "./dom.js";
import { ask } from "./ask.js";
import { confirmed } from "./dialog.js";
import { toast, trying } from "./toast.js";

export const LIVE = ["queued", "running", "paused", "interrupted"];
const TONES = { done: "good", failed: "bad", running: "busy", queued: "busy", interrupted: "careful", paused: "careful" };

function stateOf(job) {
  const wish = job.state === "running" && job.wanted !== "run" ? { pause: "pausing", cancel: "cancelling" }[job.wanted] : null;
  return h("span", { class: `badge ${TONES[job.state] ?? ""}` },
    job.state === "running" ? h("span", { class: "spinner", "aria-hidden": "true" }) : null, t(`library.${wish ?? job.state}`));
}

function asker(job) {
  if (job.by === document.body.dataset.user) return t("library.asked_by_you");
  if (["watch", "schedule"].includes(job.by)) return t(`library.asked_by_${job.by}`);
  return t(job.by ? "library.asked_by_other" : "library.asked_by_shell");
}

function speed(stage) {
  if (stage.state !== "running") return null;
  const parts = [];
  if (stage.rate) parts.push(t("library.rate", { n: stage.rate }));
  if (stage.eta_s) parts.push(t("library.eta", { time: lasting(stage.eta_s) }));
  return parts.length ? h("p", { class: "hint" }, parts.join(" · ")) : null;
}

function stageOf(job, stage) {
  const seen = stage.done + stage.failed;
  const failed = stage.failed ? ` · ${t("library.stage_failed", { n: stage.failed })}` : "";
  const value = stage.total ? seen : Number(job.state === "done");
  return h("li", {}, h("div", { class: "row spread" }, h("span", {}, named("library", stage.name)),
    h("span", { class: "faint number" }, t("library.stage_of", { done: number(seen), total: number(stage.total) }) + failed)),
  h("progress", { max: stage.total || 1, value, "aria-label": named("library", stage.name) }),
  speed(stage), stage.note ? h("p", { class: "hint" }, stage.note) : null);
}

/** The stages of a job, each with its bar. */
export const stages = (job) => (job.stages.length ? h("ul", { class: "stages" }, job.stages.map((stage) => stageOf(job, stage))) : null);

function button(job, name, image, act) {
  return h("button", { type: "button", class: "small", "data-key": `${job.job_id}-${name}`, onclick: act }, icon(image), t(`library.${name}`));
}

async function steer(job, step) {
  if (step === "cancel") {
    const sure = await confirmed(t("library.cancel_sure"), h("p", {}, t("library.cancel_told")), t("library.cancel"), true);
    if (!sure) return;
  }
  const told = await trying(() => ask(`POST /api/jobs/${job.job_id}/${step}`));
  if (told) document.dispatchEvent(new CustomEvent("jobs", { detail: told }));
}

function undo(job) {
  if (!job.undo?.photos) return null;
  const text = t(job.action === "save-metadata" ? "library.undo_files" : "library.undo_photos", { n: job.undo.photos });
  const act = async () => {
    const told = await trying(() => ask(`${job.undo.method} ${job.undo.path}`, job.undo.body));
    if (told) toast(t("library.undone"));
  };
  return h("button", { type: "button", class: "small", "data-key": `${job.job_id}-undo`, onclick: act }, icon("undo"), text);
}

/** What one can do about a job now. */
export function steps(job) {
  const may = (name, image) => button(job, name, image, () => steer(job, name));
  return [
    job.state === "running" && may("pause", "pause"),
    ["paused", "interrupted"].includes(job.state) && may("resume", "play"),
    LIVE.includes(job.state) && may("cancel", "stop"),
    !LIVE.includes(job.state) && job.counts.failed > 0 && may("retry", "retry"),
    undo(job),
  ].filter(Boolean);
}

function changed(job) {
  const chips = Object.entries(job.changed).map(([name, n]) => h("span", { class: "chip number" }, counted("library", name, n)));
  return chips.length ? h("p", { class: "changed" }, chips) : null;
}

function failures(job) {
  if (!job.counts.failed) return null;
  return h("p", {}, h("a", { href: `/jobs/${job.job_id}#errors-title`, "data-key": `${job.job_id}-failed` }, t("library.failed_which", { n: job.counts.failed })));
}

/** A job as one card; `line` says whose it is and who asked. */
export function card(job, line = asker(job)) {
  const live = LIVE.includes(job.state);
  return h("article", { class: "job", "data-job": job.job_id, "data-action": job.action, "data-state": job.state },
    h("div", { class: "row spread" }, h("h3", {}, h("a", { href: `/jobs/${job.job_id}`, "data-key": `${job.job_id}-open` }, named("library", job.action))), stateOf(job)),
    h("p", { class: "hint" }, `${line} · `, time(job.created_at)),
    job.error ? h("p", { class: "note wrong" }, icon("warning"), h("span", {}, job.error)) : null,
    live ? stages(job) : null, changed(job), failures(job), h("div", { class: "row" }, steps(job)));
}

/** Put a job's card where it belongs: in `live` while it may come to something, else first in `past`. */
export function place(job, live, past, most = 12) {
  const known = document.querySelector(`[data-job="${CSS.escape(job.job_id)}"]`);
  const home = LIVE.includes(job.state) ? live : past;
  if (known?.parentElement === home) return replace(known, card(job));
  known?.remove();
  home.prepend(card(job));
  while (past.children.length > most) past.lastElementChild.remove();
  return undefined;
}

function replace(known, fresh) {
  known.dataset.state = fresh.dataset.state;
  put(known, [...fresh.childNodes]);
}
