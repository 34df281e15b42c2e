// The page of events: generating them is followed to its end, and a deleted one can be had back.
import "./shell.js";
import { t } from "./dom.js";
import { started } from "./toast.js";

const mine = new Set();

for (const form of document.querySelectorAll('form[data-to="POST /api/library/actions/generate-events"]')) {
  form.addEventListener("sent", (event) => {
    event.preventDefault();
    mine.add(event.detail.job_id);
    form.querySelector("button").disabled = true;
    started(t("library.generate_events"));
  });
}
document.addEventListener("jobs", ({ detail: job }) => {
  if (mine.has(job.job_id) && job.state === "done") location.reload();
});
