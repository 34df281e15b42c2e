// Giving people names where they are shown: in place, at once, and a name that somebody has already means merging.
import { t } from "./dom.js";
import { inPlace } from "./inplace.js";
import { toast } from "./toast.js";
import { called, said, tell } from "./saying.js";
import { merge, mergedText, same } from "./merging.js";

/** Name somebody ({person_id, name}); resolves to the person they are then, or null. `back` undoes what is shown. */
export async function name(person, text, back) {
  try {
    const [now, act] = await said(`PATCH /api/people/${person.person_id}`, { name: text });
    tell(person.name ? t("people.renamed", { before: person.name, name: now.name }) : t("people.named_as", { name: now.name }), act, back);
    return now;
  } catch (problem) {
    const known = problem.status === 409 ? await called(text).catch(() => undefined) : undefined;
    if (known && known.person_id !== person.person_id) return joined(person, known, back);
    toast(problem.message, { wrong: true });
    return null;
  }
}

async function joined(person, known, back) {
  if (!(await same(known))) return null;
  const done = await merge(known, [person]);
  if (!done) return null;
  tell(mergedText(known, [person]), done[1], back);
  return done[0];
}

/** Have a name changed where it stands; `kept(person)` is called with whom they are then. */
export function renameInPlace(holder, person, kept) {
  const shown = holder.querySelector("a, [data-text]");
  const keep = async (text) => {
    const before = person.name;
    const now = await name({ ...person }, text, () => { person.name = before; shown.textContent = before; });
    if (now) { person.name = now.name; kept({ ...now, before }); }
    return now?.name ?? null;
  };
  inPlace(holder, { value: () => person.name, label: t("people.rename"), button: t("people.rename_what", { name: person.name }), longest: 128, keep });
}
