// Where the photos of a stretch of the timeline go: rows that fill the width, days beside each other while they fit.
// The same lines as the browser's own layout makes of what the server draws (50-photos.css). Knows no elements.

/**
 * Lines for days, each `{ ratios, headed }`. `room`: `width` and, in pixels, `row` (how high rows are at least), `gap`,
 * `stretch` (how much higher at most), `head` (a day's heading), `apart` (between days), `least` (width of a heading).
 * A line has `top`, `height`, `heads` [{ day, left, width }] and `tiles` [{ at, left, width }] below `head` pixels.
 */
export function justified(days, room) {
  const lines = [];
  let top = 0;
  let at = 0;
  let band = null;
  const close = (line) => {
    lines.push({ top, height: line.inner + line.height, head: line.inner, heads: line.heads, tiles: line.tiles });
    top += line.inner + line.height + room.gap;
  };
  const finish = () => {
    if (band) { close(band); top += room.apart; }
    band = null;
  };
  days.forEach((day, index) => {
    const natural = span(day.ratios, room);
    const width = Math.max(natural, day.headed ? room.least : 0);
    if (natural > room.width) {
      finish();
      filled(day.ratios, room).forEach((line, i) => {
        const heads = i === 0 && day.headed ? [{ day: index, left: 0, width: room.width }] : [];
        close({ inner: heads.length ? room.head : 0, height: line.height, heads, tiles: placed(line, at + line.from, 0, room) });
      });
      top += room.apart;
    } else {
      if (band && band.left + room.apart + width > room.width) finish();
      const left = band ? band.left + room.apart : 0;
      band ??= { inner: 0, height: room.row, heads: [], tiles: [], left: 0 };
      if (day.headed) { band.heads.push({ day: index, left, width }); band.inner = room.head; }
      band.tiles.push(...placed({ ratios: day.ratios, height: room.row }, at, left, room));
      band.left = left + width;
    }
    at += day.ratios.length;
  });
  finish();
  return { height: top, lines };
}

/** Rows of one day that fill the width: `{ from, ratios, height }`; the last one is as high as rows are at least. */
function filled(ratios, room) {
  const rows = [];
  let from = 0;
  for (let i = 0; i < ratios.length; i += 1) {
    if (i + 1 === ratios.length || span(ratios.slice(from, i + 2), room) > room.width) {
      const row = ratios.slice(from, i + 1);
      const sum = row.reduce((all, one) => all + one, 0);
      const fits = (room.width - room.gap * (row.length - 1)) / sum;
      const height = i + 1 === ratios.length ? Math.min(room.row, fits) : Math.min(room.row * room.stretch, fits);
      rows.push({ from, ratios: row, height });
      from = i + 1;
    }
  }
  return rows;
}

function span(ratios, { row, gap }) {
  return ratios.reduce((all, ratio) => all + ratio * row, gap * Math.max(0, ratios.length - 1));
}

function placed({ ratios, height }, at, left, { gap }) {
  let x = left;
  return ratios.map((ratio, i) => {
    const tile = { at: at + i, left: x, width: ratio * height };
    x += tile.width + gap;
    return tile;
  });
}
