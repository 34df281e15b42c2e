// One stream of server-sent events a page. It resumes after what was seen last, waits longer after each failure, and
// asks every few seconds instead where no stream comes through. A page that nobody sees holds no connection.

const SOONEST = 500;
const LATEST = 20000;
const FAILURES_BEFORE_POLLING = 4;

export class Live {
  /** `heard(name, data)` gets each event; `poll()` is called instead while streams fail; `state(up)` is told of both. */
  constructor(address, { heard, poll = null, state = () => {} }) {
    Object.assign(this, { address, heard, poll, state, last: "", failures: 0, stopping: null, closed: false });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.rest() : this.open()));
    addEventListener("pagehide", () => this.rest());
    addEventListener("pageshow", () => this.open());
    this.open();
  }

  /** Listen, unless it does already. */
  open() {
    if (this.stopping || this.closed || document.hidden) return;
    this.stopping = new AbortController();
    this.follow(this.stopping.signal);
  }

  /** Let the connection go until the page is seen again. */
  rest() {
    this.stopping?.abort();
    this.stopping = null;
  }

  close() {
    this.closed = true;
    this.rest();
  }

  async follow(signal) {
    while (!signal.aborted) {
      try {
        await this.read(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.failures += 1;
        this.state(false);
      }
      if (this.failures >= FAILURES_BEFORE_POLLING && this.poll) await Promise.resolve(this.poll()).then(() => this.state(true), () => {});
      await pause(Math.min(LATEST, SOONEST * 2 ** this.failures), signal);
    }
  }

  async read(signal) {
    const headers = { Accept: "text/event-stream", ...(this.last ? { "Last-Event-ID": this.last } : {}) };
    const answer = await fetch(this.address, { headers, signal, cache: "no-store" });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(`the stream answers ${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return undefined;
      if (this.failures >= 0) this.failures = 0;
      this.state(true);
      const blocks = (rest + value.replaceAll("\r\n", "\n")).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => this.take(block));
    }
  }

  take(block) {
    const event = { name: "message", data: [] };
    for (const line of block.split("\n")) {
      const [field, ...value] = line.split(":");
      const text = value.join(":").replace(/^ /, "");
      if (field === "id") this.last = text;
      else if (field === "event") event.name = text;
      else if (field === "data") event.data.push(text);
    }
    if (event.data.length) this.heard(event.name, JSON.parse(event.data.join("\n")));
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const waiting = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(waiting); resolve(); }, { once: true });
  });
}
