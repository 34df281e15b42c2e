// The cluster's page: plots of each node's last hour, live, and the figures of now. Its one stream is the cluster's, so
// jobs are asked for now and then instead.
import { bytes, t } from "./dom.js";
import { at, get } from "./ask.js";
import { keep, whileSeen } from "./keep.js";
import { Live } from "./live.js";
import { plot } from "./plot.js";
import { askForJobs, teller } from "./shell.js";

const HOUR = 3600000;
const MANY = 16; // GPUs, of which fewer points will do
const root = document.querySelector("[data-keep]");
const percent = (value) => t("admin.percent", { n: Math.round(100 * value) });
const points = [];
let gap = 12500;

function series(values) {
  return Object.values(values).map(({ name, of }) => ({ name, values: points.map((point) => [point.time, of(point)]) }));
}

/** What is plotted of a node: a title, how values are written, the lines, and the top of the axis. */
function kinds(nodeId) {
  const node = (point) => point.nodes.find((one) => one.node_id === nodeId);
  const gpu = (point, index) => node(point)?.gpus.find((one) => one.index === index);
  const last = points.findLast((point) => node(point));
  if (!last) return []; // it never answered
  const { gpus, memory_total } = node(last);
  const each = (of) => gpus.map(({ index }) => ({ name: t("admin.gpu_number", { n: index }), of: (point) => of(gpu(point, index)) ?? null }));
  const found = [
    ["plot_cpu", percent, [{ name: t("admin.cpu"), of: (point) => node(point)?.cpu ?? null }], 1, 0.25],
    ["plot_ram", bytes, [{ name: t("admin.ram"), of: (point) => node(point)?.memory_used ?? null }], memory_total, 0],
  ];
  if (!gpus.length) return found;
  const most = Math.max(...gpus.map((one) => one.memory_total));
  return [...found, ["plot_gpu_use", percent, each((one) => one?.utilization), 1, 0.25], ["plot_gpu_memory", bytes, each((one) => one?.memory_used), most, 0]];
}

class Node {
  constructor(element) {
    Object.assign(this, { element, plots: new Map(), seen: false });
    this.place = element.querySelector("[data-plots]");
    element.addEventListener("toggle", () => this.draw());
    new IntersectionObserver(([entry]) => { this.seen = entry.isIntersecting; this.draw(); }, { rootMargin: "200px" }).observe(element);
  }

  draw() {
    if (!this.seen || !this.element.open || !points.length) return;
    const to = points.at(-1).time;
    for (const [name, say, lines, most, step] of kinds(this.element.dataset.node)) {
      if (!this.plots.has(name)) {
        const title = t(`admin.${name}`);
        this.plots.set(name, plot({ title, label: t("admin.plot_node", { title, node: this.element.dataset.name }), say, step }));
        this.place.append(this.plots.get(name).element);
      }
      this.plots.get(name).draw(series(lines), { from: to - HOUR, to, most, gap });
    }
  }
}

const nodes = [...root.querySelectorAll("[data-node]")].map((element) => new Node(element));

function add(point) {
  const time = Date.parse(point.at);
  if (points.length && points.at(-1).time >= time) return;
  points.push({ time, nodes: point.nodes });
  while (points[0].time < time - HOUR) points.shift();
}

function draw() {
  nodes.forEach((node) => node.draw());
}

async function past() {
  const step = Number(root.dataset.gpus) > MANY ? 4 : 1;
  const told = await get(at("/api/cluster/history", { step }));
  gap = 2500 * told.every_s;
  told.points.forEach(add);
  draw();
}

await past().catch(() => {});
new Live("/api/cluster/events", { heard: (_, point) => { add(point); draw(); }, poll: past, state: teller() });
keep(root, 5000, ({ shape }) => { root.querySelector("[data-changed]").hidden = shape === root.dataset.shape; });
whileSeen(5000, askForJobs)();
