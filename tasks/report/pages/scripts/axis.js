// The axis of the learning curves: updates, epochs or seconds.
//
// A line, or the cross at its end, has where its points are on each axis in `data-axes`. All panels beside each other
// share their axes, which begin at zero.

function axesOf(element) {
  return JSON.parse(element.dataset.axes);
}

// Where ticks stand: four or five whole, round numbers.
function ticksUpTo(end) {
  const rough = end / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}

function moveTo(element, x) {
  element.setAttribute("transform", element.getAttribute("transform").replace(/translate\([-\d.e]+/, `translate(${x}`));
}

// As many of one kind of part as there are ticks, each a copy of the first.
function renew(parts, places, write = () => {}) {
  const fresh = places.map((place, i) => {
    const part = parts[0].cloneNode(true);
    moveTo(part, place);
    write(part, i);
    return part;
  });
  parts[0].before(...fresh);
  for (const part of parts) part.remove();
}

function drawAxis(svg, name, before, end) {
  const { group, width } = plotOf(svg);
  const ticks = ticksUpTo(end);
  const places = ticks.map((tick) => Math.round((100 * tick * width) / end) / 100);
  const axes = [...group.querySelectorAll(".role-axis")];
  const own = axes.find((axis) => axis.querySelector(".role-axis-title")?.textContent === before);
  own.querySelector(".role-axis-title text").textContent = name;
  renew([...own.querySelectorAll(".role-axis-label text")], places, (text, i) => {
    text.textContent = ticks[i].toLocaleString("en", { maximumFractionDigits: 6 });
  });
  renew([...own.querySelectorAll(".role-axis-tick line")], places);
  const upright = (axis) => axis.querySelector(".role-axis-grid line")?.getAttribute("x2") === "0";
  const grid = axes.find((axis) => upright(axis));
  if (grid) renew([...grid.querySelectorAll(".role-axis-grid line")], places);
}

function drawOver(element, xs) {
  const path = element.getAttribute("d");
  if (!element.hasAttribute("transform") || xs.length > 1) {
    let next = 0;
    element.setAttribute("d", path.replace(/([ML])[-\d.e]+,/g, (_, letter) => `${letter}${xs[next++]},`));
  } else {
    moveTo(element, xs[0]);
  }
}

function setAxis(panels, name, before) {
  const marks = [...panels.querySelectorAll("[data-axes]")];
  const end = Math.max(...marks.flatMap((mark) => axesOf(mark)[name]));
  if (!(end > 0)) return false;
  for (const svg of panels.querySelectorAll("svg[data-plot]")) {
    const { width } = plotOf(svg);
    drawAxis(svg, name, before, end);
    for (const mark of svg.querySelectorAll("[data-axes]")) {
      drawOver(mark, axesOf(mark)[name].map((x) => Math.round((100 * x * width) / end) / 100));
    }
  }
  return true;
}
