// The panel to choose in: a group a dimension that has two names or more, a box a name.

function group(title, names, isOn, change) {
  const set = create("fieldset", {});
  set.append(create("legend", { textContent: title }));
  for (const name of names) {
    const label = create("label", {});
    const box = create("input", { type: "checkbox", checked: isOn(name) });
    box.addEventListener("change", () => change(name, box.checked));
    label.append(box, ` ${name}`);
    set.append(label);
  }
  return set;
}

function addChooser(there, choices, isChanged) {
  const fold = create("details", { className: "chooser" });
  const said = create("span", { role: "status" });
  const body = create("div", { className: "choices" });
  const tell = () => {
    const gone = Object.entries(choices.hidden).flatMap(([, names]) => [...names]);
    said.textContent = gone.length ? `hidden: ${gone.join(", ")}` : "";
  };
  const fill = () => {
    const asked = Object.entries(DIMENSIONS).filter(([dimension]) => there[dimension].length > 1);
    body.replaceChildren(...asked.map(([dimension, title]) => group(
      title, there[dimension], (name) => !choices.hidden[dimension].has(name),
      (name, isOn) => {
        if (isOn) choices.hidden[dimension].delete(name);
        else choices.hidden[dimension].add(name);
        tell();
        isChanged();
      })));
  };
  const all = create("button", { type: "button", textContent: "Show all" });
  all.addEventListener("click", () => {
    for (const names of Object.values(choices.hidden)) names.clear();
    fill();
    tell();
    isChanged();
  });
  const note = "Sentences, intervals and claims stay those of the whole report.";
  const foot = create("p", {});
  foot.append(all, ` ${note}`);
  const summary = create("summary", { textContent: "Choose what is shown" });
  const inside = create("div", { className: "panel" });
  inside.append(body, foot);
  fold.append(summary, inside);
  fill();
  tell();
  fold.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    fold.open = false;
    summary.focus();
  });
  const nav = document.querySelector("nav");
  nav.append(fold, said);
  keepBelow(nav);
}

// Where a link leads to is not under the contents, which stay on top of a wide window, however high they are.
function keepBelow(nav) {
  const measure = () => document.documentElement.style.setProperty("--below-nav", `${nav.offsetHeight + 12}px`);
  measure();
  new ResizeObserver(measure).observe(nav);
}

function addAxisChooser(panels, number, chosen, isChanged) {
  const marks = panels.querySelector("[data-axes]");
  const set = create("fieldset", { className: "axis" });
  set.append(create("legend", { textContent: "Axis" }));
  for (const name of Object.keys(axesOf(marks))) {
    const label = create("label", {});
    const box = create("input", { type: "radio", name: `axis-${number}`, value: name, checked: name === chosen });
    box.addEventListener("change", () => isChanged(name));
    label.append(box, ` ${name}`);
    set.append(label);
  }
  set.append(create("small", { textContent: "Seconds: a trial’s training time, spread evenly over its updates." }));
  panels.before(set);
  return set;
}
