// The page of events: generating them is followed to its end, and a deleted one can be had back.
import "./shell.js";
import { t } from "./dom.js";
import { toast } from "./toast.js";
import { toldBefore } from "./later.js";

const mine = new Set();

for (const form of document.querySelectorAll('form[data-to="POST /api/library/actions/generate-events"]')) {
  form.addEventListener("sent", (event) => {
    event.preventDefault();
    mine.add(event.detail.job_id);
    form.querySelector("button").disabled = true;
    toast(t("library.started", { action: t("library.generate_events") }), { action: { href: "/library#jobs", text: t("library.watch") } });
  });
}
document.addEventListener("jobs", ({ detail: job }) => {
  if (mine.has(job.job_id) && job.state === "done") location.reload();
});
toldBefore();
