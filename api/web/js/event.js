// One event: its title is changed where it stands; deleting it, or another cover, can be taken back.
import "./shell.js";
import { t } from "./dom.js";
import { ask } from "./ask.js";
import { inPlace } from "./inplace.js";
import { later } from "./later.js";
import { toast, trying } from "./toast.js";

const page = document.querySelector("[data-event]");
const id = page.dataset.event;
const holder = document.querySelector("[data-title]");
let own = document.getElementById("rename").elements.title.value;

async function entitle(title) {
  const now = await trying(() => ask(`PATCH /api/events/${id}`, { title }));
  if (!now) return null;
  own = now.own_title;
  document.title = document.title.replace(/^.*(?= · )/, () => now.title);
  return now.title;
}

async function rename(title) {
  const before = own;
  const now = await entitle(title);
  const back = async () => { const old = await entitle(before); if (old) holder.querySelector("[data-text]").textContent = old; };
  if (now) toast(t("events.renamed"), { undo: back });
  return now;
}

document.getElementById("rename").closest("details").hidden = true;
inPlace(holder, { value: () => own || holder.textContent.trim(), label: t("events.rename"), button: t("events.rename"), longest: 200, empty: true, keep: rename });
document.getElementById("delete").addEventListener("sent", (event) => {
  event.preventDefault();
  later(t("events.deleted_now"), `POST /api/events/${id}/restore`, { after: location.pathname });
  location.assign("/events");
});
for (const form of document.querySelectorAll("#cover, #no-cover")) {
  form.addEventListener("sent", (event) => {
    event.preventDefault();
    later(form.elements._said.value, `PATCH /api/events/${id}`, { body: { cover_photo_id: page.dataset.cover } });
    location.assign(location.pathname);
  });
}
