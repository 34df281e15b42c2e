// Days and months as people say them, by the clocks of the places that photos were taken at.
import { t } from "./dom.js";

const DAY = 86400;
const format = (given) => new Intl.DateTimeFormat(t("photos.locale"), { timeZone: "UTC", ...given });
const dayForm = format({ weekday: "short", day: "numeric", month: "long" });
const fullForm = format({ weekday: "short", day: "numeric", month: "long", year: "numeric" });
const longForm = format({ dateStyle: "long" });
const monthForm = format({ month: "long", year: "numeric" });

/** The day of a time in seconds, counted from 1970; null for none. */
export const dayOf = (taken, offset) => (taken === null ? null : Math.floor((taken + 60 * (offset ?? 0)) / DAY));

const dateOf = (day) => new Date(day * DAY * 1000);

/** A day below its month's heading. */
export const dayName = (day) => (day === null ? "" : dayForm.format(dateOf(day)));

/** A day by itself. */
export const fullName = (day) => (day === null ? t("photos.undated") : fullForm.format(dateOf(day)));

/** The day of a time of the API, by itself and as long as it is written: "14 January 2023". */
export const longDay = (iso) => longForm.format(new Date(iso));

/** A month like "2024-05". */
export const monthName = (month) => (month ? monthForm.format(new Date(`${month}-01T00:00:00Z`)) : t("photos.undated"));
