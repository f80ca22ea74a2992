// Reading a table of the page: what of it can be seen, row by row, and each cell in its parts.

// The paper's tables stay in the paper's form: their headings have two rows, and `tables/` has them as CSV.
const EVERY_TABLE = [...document.querySelectorAll("main table:not(.paper)")];
const INTERVAL = /^\[([^,\]]+(?:,\d{3})*), ([^\]]+)\]\s*(.*)$/;

function oneLine(text) {
  return text.replace(/\s+/g, " ").trim();
}

function textOf(element, ...without) {
  const copy = element.cloneNode(true);
  for (const gone of copy.querySelectorAll(["[hidden]", "svg", ".mark", ...without].join(","))) gone.remove();
  for (const item of copy.querySelectorAll("li, summary, br, td small")) item.append("; ");
  return oneLine(copy.textContent).replace(/;$/, "");
}

// `helps +0.30 [0.21, 0.39] 7 pairs` is a word, a value, the ends of its interval, and notes.
function readCell(cell) {
  const small = [...cell.querySelectorAll(":scope > small")].map((each) => textOf(each)).filter(Boolean);
  const word = cell.querySelector(":scope > .word");
  const read = { word: word ? textOf(word) : "", value: "", low: "", high: "", notes: [] };
  const copy = cell.cloneNode(true);
  for (const gone of copy.querySelectorAll(":scope > small, :scope > .word")) gone.remove();
  read.value = textOf(copy);
  const inline = /^(\S+) (\[[^\]]*\])$/.exec(read.value);
  if (inline) {
    read.value = inline[1];
    small.unshift(inline[2]);
  }
  for (const text of small) {
    const found = read.low ? null : INTERVAL.exec(text);
    if (found) [read.low, read.high] = [found[1], found[2]];
    const note = found ? found[3] : text;
    if (note) read.notes.push(note);
  }
  return read;
}

function cellText({ word, value, low, high, notes }) {
  return [word, value, low && `[${low}, ${high}]`, ...notes].filter(Boolean).join(" ");
}

function isShown(element) {
  return !element.hidden;
}

// The headings of each column, from the top: some stand over several columns.
function headingsOf(table) {
  const rows = [...table.tHead.rows].map((row) => [...row.cells].flatMap((head) => Array(head.colSpan).fill(head)));
  return rows.at(-1).map((_, place) => rows.map((row) => row[place]));
}

// Columns without a heading hold drawings of what stands in the others, but for the first, which names the rows.
function readTable(table) {
  const heads = headingsOf(table);
  const kept = heads.map((above, place) => isShown(above.at(-1)) && (!place || above.at(-1).tagName === "TH"));
  const cellsOf = (row) => [...row.cells].filter((_, place) => kept[place]);
  return {
    columns: heads.filter((_, place) => kept[place]).map((above) => oneLine(above.map((head) => textOf(head)).join(" "))),
    rows: [...table.tBodies].flatMap((body) => [...body.rows].filter(isShown)).map((row) => cellsOf(row).map(readCell)),
    isText: table.classList.contains("words"),
  };
}

// The anchor of a table is that of the name in its caption.
function anchorOf(table) {
  return table.caption?.querySelector(".name")?.id ?? "";
}
