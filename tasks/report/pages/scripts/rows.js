// Charts with a row a variant, or a technique: rows that are hidden go, and those below move up.
//
// Such a drawing names its rows, from the top, in `data-rows`, and the size of its plot in `data-plot`. Whose row a part
// is follows from where it is; lines over all rows become shorter, and what is below the rows moves with them.

const FIRST_PLACES = new WeakMap();

function movedBy(element) {
  const found = /translate\(([-\d.e]+)[ ,]+([-\d.e]+)\)/.exec(element.getAttribute("transform") ?? "");
  return found ? [Number(found[1]), Number(found[2])] : [0, 0];
}

// How far a part is moved right and down within the plot, by all groups that it is in.
function placeIn(plot, element) {
  let [x, y] = movedBy(element);
  for (let group = element.parentElement; group !== plot; group = group.parentElement) {
    const [right, down] = movedBy(group);
    [x, y] = [x + right, y + down];
  }
  return [x, y];
}

function plotOf(svg) {
  const [width, height] = svg.dataset.plot.split(" ").map(Number);
  return { group: svg.querySelector("g[transform]"), width, height };
}

function partsIn(svg) {
  const { group, height } = plotOf(svg);
  const parts = [...group.querySelectorAll("path, line, text, rect")].filter((each) => !each.classList.contains("background"));
  return parts.map((element) => {
    const own = movedBy(element);
    let [, top] = placeIn(group, element);
    const start = /^M[-\d.e]+,([-\d.e]+)/.exec(element.getAttribute("transform") ? "" : element.getAttribute("d") ?? "");
    if (start) top += Number(start[1]);
    const long = Number(element.getAttribute("y2") ?? 0);
    return { element, own, top, long, isTall: Math.abs(long) > 0.9 * height };
  });
}

function layOutRows(svg, isHidden) {
  const { height } = plotOf(svg);
  const names = JSON.parse(svg.dataset.rows);
  const gone = names.map((name) => isHidden(name));
  if (!FIRST_PLACES.has(svg)) {
    if (!gone.includes(true)) return;
    FIRST_PLACES.set(svg, { parts: partsIn(svg), box: svg.getAttribute("viewBox").split(" ").map(Number) });
  }
  const { parts, box } = FIRST_PLACES.get(svg);
  const step = height / names.length;
  const lostAbove = (row) => gone.slice(0, row).filter(Boolean).length * step;
  const lost = lostAbove(names.length);
  for (const { element, own, top, long, isTall } of parts) {
    if (isTall) {
      const shorter = (y) => (y * (height - lost)) / height;
      const outside = top - own[1];
      element.setAttribute("transform", `translate(${own[0]},${shorter(top) - outside})`);
      element.setAttribute("y2", shorter(top + long) - shorter(top));
      continue;
    }
    const row = Math.floor(top / step);
    const isInRow = top >= 0 && row < names.length && top < height - 0.01;
    element.style.display = isInRow && gone[row] ? "none" : "";
    const up = isInRow ? lostAbove(row) : top < 0 ? 0 : lost;
    element.style.translate = up ? `0 ${-up}px` : "";
  }
  svg.setAttribute("viewBox", [box[0], box[1], box[2], box[3] - lost].join(" "));
}
