// Everything is made here, so that a page without scripts has no control that does nothing.

function create(tag, properties) {
  const element = document.createElement(tag);
  const { role, ...others } = properties;
  if (role) element.setAttribute("role", role);
  return Object.assign(element, others);
}

function start() {
  const choices = readAddress();
  const there = choicesThere();
  for (const [dimension, names] of Object.entries(choices.hidden)) {
    for (const name of names) if (!there[dimension].includes(name)) names.delete(name);
  }
  const changed = () => {
    applyChoices(choices.hidden);
    writeAddress(choices);
  };
  for (const table of EVERY_TABLE) {
    addCopying(table);
    const anchor = anchorOf(table);
    addSorting(table, (_, place, down) => {
      choices.sorts.delete(anchor);
      if (down !== null && anchor) choices.sorts.set(anchor, { place, down });
      writeAddress(choices);
    });
    const asked = choices.sorts.get(anchor);
    if (asked && table.tHead.rows[0].cells[asked.place]?.querySelector(".sort")) {
      sortTable(table, asked.place, asked.down);
    }
  }
  if (Object.values(there).some((names) => names.length > 1)) addChooser(there, choices, changed);
  startAxes(choices);
  addPointing();
  applyChoices(choices.hidden);
}

function startAxes(choices) {
  const all = [...document.querySelectorAll(".panels.curves")].filter((panels) => panels.querySelector("[data-axes]"));
  const sets = [];
  const now = new Map();
  const change = (name) => {
    for (const panels of all) {
      const names = Object.keys(axesOf(panels.querySelector("[data-axes]")));
      const before = now.get(panels) ?? names[0];
      if (names.includes(name) && name !== before && setAxis(panels, name, before)) now.set(panels, name);
    }
    for (const box of sets.flatMap((set) => [...set.querySelectorAll("input")])) box.checked = box.value === name;
    choices.axis = name === "updates" ? null : name;
    writeAddress(choices);
  };
  all.forEach((panels, number) => sets.push(addAxisChooser(panels, number, "updates", change)));
  if (choices.axis && all.length) change(choices.axis);
}

start();
