// Users: choosing their folder in a dialog, typing a password only where one is to be typed, copying a new one.
import { t } from "./dom.js";
import { chosenFolder } from "./folders.js";
import { toast } from "./toast.js";
import "./sure.js";

for (const button of document.querySelectorAll("[data-choose]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.choose);
    const path = await chosenFolder(field.value.startsWith("/") ? field.value : "/");
    if (path) field.value = path;
  });
}

for (const choice of document.querySelectorAll("[data-choice]")) {
  const typed = choice.querySelector("[data-typed]");
  const fields = typed.querySelectorAll("input");
  const update = () => {
    typed.hidden = choice.querySelector("[name=choice]:checked").value !== "typed";
    fields.forEach((field) => { field.required = !typed.hidden; field.disabled = typed.hidden; });
  };
  choice.addEventListener("change", update);
  fields[1].addEventListener("input", () => {
    fields[1].setCustomValidity(fields[0].value === fields[1].value ? "" : t("door.not_the_same"));
  });
  update();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    toast(t("admin.copied"));
  });
}
