// Showing what is chosen: sections and columns of corpora, rows of tables, rows, lines and points of charts.

function applyChoices(hidden) {
  const shows = (name) => showsVariant(hidden, name);
  for (const each of document.querySelectorAll("[data-corpus]")) each.hidden = hidden.corpus.has(each.dataset.corpus);
  for (const row of document.querySelectorAll("tr[data-technique]")) {
    row.hidden = hidden.technique.has(row.dataset.technique);
  }
  for (const row of document.querySelectorAll("tr[data-variant]")) row.hidden = !shows(row.dataset.variant);
  for (const svg of document.querySelectorAll("svg[data-rows]")) {
    layOutRows(svg, svg.dataset.of === "technique" ? (name) => hidden.technique.has(name) : (name) => !shows(name));
  }
  for (const mark of document.querySelectorAll("svg:not([data-rows]) [data-variant]")) {
    mark.style.display = shows(mark.dataset.variant) ? "" : "none";
  }
  for (const figure of document.querySelectorAll(".panels figure")) hidePanel(figure, shows);
}

// A panel is hidden with what it is about: beside plain SGD that is the other one.
function hidePanel(figure, shows) {
  const names = [...new Set([...figure.querySelectorAll("[data-variant]")].map((mark) => mark.dataset.variant))];
  const isPlain = (name) => !partsOf(name).technique.length && partsOf(name).optimizer === "SGD";
  const others = figure.closest(".beside-plain") ? names.filter((name) => !isPlain(name)) : names;
  figure.hidden = others.length > 0 && !others.some(shows);
}

// Everything that there is to choose from, in the order of the page.
function choicesThere() {
  const names = (selector, key) => [...new Set([...document.querySelectorAll(selector)].map((e) => e.dataset[key]))];
  const variants = names("tr[data-variant]", "variant").filter((name) => !isBaseline(name));
  const parts = variants.map(partsOf);
  const all = (key) => [...new Set(parts.flatMap((each) => each[key]))].filter(Boolean);
  return {
    corpus: names("[data-corpus]", "corpus"),
    technique: all("technique"),
    core: all("core"),
    output: all("output"),
    optimizer: all("optimizer"),
    variant: variants,
  };
}
