// Names of variants: `rnn/bernoulli/SGD+CLR` is a core, an output model, an optimizer and techniques, as
// `Variant.parse` reads them (tasks/report/numbers/variant_titles.py).

function cutAt(text, mark) {
  const place = text.indexOf(mark);
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place + mark.length)];
}

function partsOf(name) {
  const slash = name.lastIndexOf("/");
  const [core, output] = cutAt(name.slice(0, Math.max(slash, 0)), "/");
  const [optimizer, letters] = cutAt(name.slice(slash + 1), "+");
  return { core, output, optimizer, technique: [...letters] };
}

function isBaseline(name) {
  return name.startsWith("baseline/");
}
