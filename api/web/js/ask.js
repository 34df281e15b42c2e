// The API for scripts: JSON in, JSON out, problems as errors whose message is the sentence for people.
import { t } from "./dom.js";

export class Problem extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * What the API answers to "METHOD /path"; throws a Problem. Whoever is not logged in any more is sent to log in.
 * `keepalive`: it is sent even if the page is left.
 */
export async function ask(what, body, given = {}) {
  const [method, path] = what.split(" ");
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const options = { method, headers: { Accept: "application/json", ...headers }, signal: given.signal, keepalive: given.keepalive };
  if (body !== undefined) options.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, t("shell.unreachable"));
  }
  return content(answer);
}

/** What is in an answer; throws a Problem. */
async function content(answer) {
  const text = await answer.text();
  const read = text && (answer.headers.get("content-type") ?? "").includes("json") ? JSON.parse(text) : null;
  if (answer.ok) return read;
  if (answer.status === 401) location.assign(`/login?back=${encodeURIComponent(location.pathname + location.search)}`);
  throw new Problem(answer.status, read?.detail ?? answer.statusText, answer.headers.get("retry-after"));
}

export const get = (path, given) => ask(`GET ${path}`, undefined, given);

/** The parameters of an address, each with all its values; those of `names` alone, where they are given. */
export function parameters(query, names = null) {
  const given = new URLSearchParams(query);
  return Object.fromEntries((names ?? [...new Set(given.keys())]).map((name) => [name, given.getAll(name)]));
}

/** A path with parameters, without those that are empty. */
export function at(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "" && one !== false) query.append(name, one);
  }
  return query.size ? `${path}?${query}` : path;
}
