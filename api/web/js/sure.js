// Buttons that ask first: `data-sure` is the question, `data-sure-told` what then happens. The form is sent after a yes.
import { h } from "./dom.js";
import { confirmed } from "./dialog.js";
import { send } from "./forms.js";

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button?.dataset.sure) return;
  event.preventDefault();
  event.stopPropagation();
  const body = h("p", {}, button.dataset.sureTold ?? "");
  if (await confirmed(button.dataset.sure, body, button.textContent.trim(), true)) send(event.target);
}, true);
