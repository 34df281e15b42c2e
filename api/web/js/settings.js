// The settings: what is typed leaves those that have all of its words.
import { t } from "./dom.js";

const form = document.querySelector("[data-find-setting]");
const field = form.elements.q;
const given = form.elements.given;
const found = form.querySelector("[data-found]");
const nothing = document.querySelector("[data-nothing]");

function look() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const section of document.querySelectorAll("[data-section]")) {
    let some = 0;
    for (const row of section.querySelectorAll("[data-text]")) {
      row.hidden = !words.every((word) => row.dataset.text.includes(word)) || (given.checked && row.dataset.source === "default");
      some += Number(!row.hidden);
    }
    section.hidden = some === 0;
    left += some;
  }
  nothing.hidden = left > 0;
  found.textContent = t("admin.settings_found", { n: left });
}

// A page that was asked for by words has only what has them: start from all of them again.
if (location.search) {
  form.addEventListener("input", () => { if (!field.value && !given.checked) location.assign("/admin/settings"); });
}
form.querySelector("button").hidden = true;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", look);
look();
