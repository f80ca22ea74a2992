// Sorting a table: its headings become buttons, which go from upwards to downwards to the order of the page.

const FIRST_ORDER = new WeakMap();
const UNITS = { d: 86400, h: 3600, min: 60, s: 1 };

// The number that a cell begins with; a duration in seconds; a power of ten; null where there is none.
function numberOf(text) {
  const plain = text.replaceAll("−", "-").replace(/^[≈<\s]+|^below /g, "").replace(/(\d),(?=\d{3})/g, "$1");
  if (plain.startsWith("never")) return Infinity;
  const times = [...plain.matchAll(/(\d+) (d|h|min|s)(?= |$)/g)];
  if (times.length) return times.reduce((sum, [, many, unit]) => sum + many * UNITS[unit], 0);
  const found = /^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?:·10(⁻?)([⁰¹²³⁴-⁹]+))?/.exec(plain);
  const power = /^10(⁻?)([⁰¹²³⁴-⁹]+)/.exec(plain);
  const ten = (sign, digits) => 10 ** Number((sign && "-") + [...digits].map((d) => SUPERSCRIPTS.indexOf(d)).join(""));
  if (power) return ten(power[1], power[2]);
  if (!found) return null;
  const value = Number(found[1]) * (found[3] ? ten(found[2], found[3]) : 1);
  return plain.slice(found[0].length).startsWith(" %") ? value / 100 : value;
}

// Rows in the order of a column; what has no value comes last, and baselines stay below what was trained.
function inOrder(rows, place, isDown) {
  const texts = rows.map((row) => row.cells[place].dataset.sort ?? readCell(row.cells[place]).value);
  const numbers = texts.map(numberOf);
  const isEmpty = (text) => text === "" || text === "–";
  const isNumeric = texts.some((text) => !isEmpty(text)) && texts.every((t, i) => isEmpty(t) || numbers[i] !== null);
  const order = [...rows.keys()].sort((a, b) => {
    const groups = ["baseline"].map((name) => rows[a].classList.contains(name) - rows[b].classList.contains(name));
    const nothing = isEmpty(texts[a]) - isEmpty(texts[b]);
    if (groups[0] || nothing) return groups[0] || nothing;
    const apart = isNumeric ? numbers[a] - numbers[b] || 0 : texts[a].localeCompare(texts[b], "en", { numeric: true });
    return isDown ? -apart : apart;
  });
  return order.map((at) => rows[at]);
}

// `down` is true, false, or null for the order of the page.
function sortTable(table, place, down) {
  const body = table.tBodies[0];
  if (!FIRST_ORDER.has(table)) FIRST_ORDER.set(table, [...body.rows]);
  const first = FIRST_ORDER.get(table);
  body.append(...(down === null ? first : inOrder(first, place, down)));
  for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  if (down !== null) table.tHead.rows[0].cells[place].setAttribute("aria-sort", down ? "descending" : "ascending");
}

function addSorting(table, isChanged) {
  if (table.tBodies.length > 1 || table.tHead.rows.length > 1 || table.tBodies[0].rows.length < 2) return;
  for (const head of table.tHead.rows[0].cells) {
    if (head.tagName !== "TH") continue;
    const button = create("button", { type: "button", className: "sort" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { none: false, ascending: true, descending: null }[head.getAttribute("aria-sort") ?? "none"];
      sortTable(table, head.cellIndex, next);
      isChanged(table, head.cellIndex, next);
    });
  }
}
