// What is chosen, and the address that remembers it: `?hide=technique:M&hide=core:lstm&x=epochs&sort=table-1a:2:down`.

const DIMENSIONS = {
  corpus: "corpora", technique: "techniques", core: "cores", output: "output models", optimizer: "optimizers",
  variant: "variants",
};

function readAddress() {
  const asked = new URLSearchParams(location.search);
  const hidden = Object.fromEntries(Object.keys(DIMENSIONS).map((name) => [name, new Set()]));
  for (const each of asked.getAll("hide")) {
    const [dimension, name] = cutAt(each, ":");
    hidden[dimension]?.add(name);
  }
  const sorts = new Map(asked.getAll("sort").map((each) => {
    const [, anchor, place, way] = /^(.*):(\d+):(up|down)$/.exec(each) ?? [];
    return [anchor, { place: Number(place), down: way === "down" }];
  }));
  sorts.delete(undefined);
  return { hidden, sorts, axis: asked.get("x") };
}

// Other people's parts of the address stay. Where a browser does not let a file's address be written, it stays as it is.
function writeAddress({ hidden, sorts, axis }) {
  const address = new URL(location.href);
  for (const name of ["hide", "sort", "x"]) address.searchParams.delete(name);
  for (const [dimension, names] of Object.entries(hidden)) {
    for (const name of names) address.searchParams.append("hide", `${dimension}:${name}`);
  }
  for (const [anchor, { place, down }] of sorts) {
    address.searchParams.append("sort", `${anchor}:${place}:${down ? "down" : "up"}`);
  }
  if (axis) address.searchParams.set("x", axis);
  try {
    history.replaceState(null, "", address);
  } catch (error) {
    if (error.name !== "SecurityError") throw error;
  }
}

// A variant is shown where none of its parts is hidden; a baseline always.
function showsVariant(hidden, name) {
  if (isBaseline(name)) return true;
  const { technique, ...parts } = partsOf(name);
  if (hidden.variant.has(name) || technique.some((letter) => hidden.technique.has(letter))) return false;
  return Object.entries(parts).every(([dimension, part]) => !hidden[dimension].has(part));
}
