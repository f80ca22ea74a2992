// Values of a chart: those of the point next to the pointer, or the next point with the arrow keys from its name on.

const NEAR = 24;

// Every point of a drawing that can be told: where it is in the window, and what it says.
function pointsOf(svg) {
  return [...svg.querySelectorAll("[data-told]")].filter((mark) => mark.style.display !== "none").flatMap((mark) => {
    const { told, values, axes } = mark.dataset;
    const box = mark.getBoundingClientRect();
    if (!values) return [{ x: box.x + box.width / 2, y: box.y + box.height / 2, text: told }];
    const at = mark.getScreenCTM();
    const spots = [...mark.getAttribute("d").matchAll(/[ML]([-\d.e]+),([-\d.e]+)/g)];
    const axis = Object.entries(JSON.parse(axes));
    return spots.map(([, x, y], i) => {
      const spot = new DOMPoint(Number(x), Number(y)).matrixTransform(at);
      const where = axis.map(([name, places]) => `${name} ${places[i].toLocaleString("en")}`).join(", ");
      return { x: spot.x, y: spot.y, text: `${told}\n${where}: ${values.split("|")[i]}` };
    });
  }).filter((spot) => isWithin(svg.getBoundingClientRect(), spot));
}

function isWithin(box, { x, y }) {
  return x >= box.left - 1 && x <= box.right + 1 && y >= box.top - 1 && y <= box.bottom + 1;
}

function addPointing(status) {
  const ring = create("div", { className: "ring", hidden: true });
  const tip = create("div", { className: "tip", hidden: true, role: "status" });
  document.body.append(ring, tip);
  const hide = () => { tip.hidden = ring.hidden = true; };
  const show = ({ x, y, text }) => {
    tip.textContent = text;
    tip.hidden = ring.hidden = false;
    ring.style.left = `${x + scrollX}px`;
    ring.style.top = `${y + scrollY}px`;
    const { width, height } = tip.getBoundingClientRect();
    const right = document.documentElement.clientWidth - width - 8;
    tip.style.left = `${scrollX + Math.max(8, Math.min(x + 14, right))}px`;
    tip.style.top = `${scrollY + (y > height + 24 ? y - height - 14 : y + 18)}px`;
  };
  const told = new Map();  // of the drawing that is pointed at: it is read once
  for (const svg of document.querySelectorAll("svg:has([data-told])")) {
    svg.addEventListener("pointermove", (event) => {
      const key = `${svg.getBoundingClientRect().top} ${svg.getBoundingClientRect().left}`;
      if (told.get("svg") !== svg || told.get("key") !== key) {
        told.set("svg", svg).set("key", key).set("points", pointsOf(svg));
      }
      const away = (spot) => Math.hypot(spot.x - event.clientX, spot.y - event.clientY);
      const next = told.get("points").reduce((best, spot) => (!best || away(spot) < away(best) ? spot : best), null);
      if (next && away(next) <= NEAR) show(next);
      else hide();
    });
    svg.addEventListener("pointerleave", () => { told.clear(); hide(); });
    const name = svg.closest("figure")?.querySelector("figcaption .name");
    let at = -1;
    name?.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      const points = pointsOf(svg).sort((a, b) => a.y - b.y || a.x - b.x);
      at = (at + step + points.length) % points.length;
      if (points.length) show(points[at]);
      event.preventDefault();
    });
    name?.addEventListener("blur", hide);
  }
}
