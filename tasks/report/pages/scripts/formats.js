// A table as CSV, Markdown or LaTeX. In each a text stays the text that it is, whoever wrote it: CSV holds no
// formula, Markdown no markup, LaTeX no command.

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

function codeOf(sign) {
  return sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

// What cannot be seen is written out, as `visible` does it (tasks/telling/wording.py).
function visible(text) {
  return text.replace(UNSEEN, (sign) => `[U+${codeOf(sign)}]`);
}

// A number as programs read it: a hyphen for the minus, no commas; any other text as it is, a dash for nothing as "".
function forPrograms(text) {
  if (text === "–") return "";
  const plain = text.replaceAll("−", "-");
  const isNumber = /^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?(e[+-]?\d+)?$/.test(plain);
  return isNumber ? plain.replaceAll(",", "").replace(/^\+/, "") : text;
}

// A spreadsheet takes what begins with one of these for a formula, unless it is a number; as `to_csv` has it
// (tasks/report/papers/comma_separated.py).
function csvField(text) {
  const value = forPrograms(visible(text));
  const isFormula = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(value) && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(value);
  const safe = isFormula ? `'${value}` : value;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// The same characters as `escape` of tasks/publishing/artifact.py.
function markdownText(text) {
  return visible(text).replace(/[\\`*_[\]<>#|~&]/g, "\\$&");
}

// The same signs, and the same letters, as `escape` of tasks/report/papers/latex.py.
const LATEX = {
  "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "_": "\\_", "%": "\\%",
  "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}",
  "|": "\\textbar{}", '"': "''", "−": "$-$", "≈": "$\\approx$", "→": "$\\rightarrow$", "×": "$\\times$",
  "·": "$\\cdot$", "●": "$\\bullet$", "–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''",
  "…": "\\ldots{}", "\u00a0": "~", "†": "$\\dagger$",
};
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function latexText(text) {
  const sign = (each) => LATEX[each] ?? (/[ -~\u00a1-\u00ac\u00ae-\u017f]/.test(each) ? each : `[U+${codeOf(each)}]`);
  const raised = (each) => (each === "⁻" ? "-" : SUPERSCRIPTS.indexOf(each));
  return text.split(/([⁻⁰¹²³⁴-⁹]+)/).map((part, place) => (
    place % 2 ? `$^{${[...part].map(raised).join("")}}$` : [...visible(part)].map(sign).join("")
  )).join("");
}

function asCsv({ columns, rows }) {
  const spread = columns.map((name, place) => {
    const cells = rows.map((row) => row[place]);
    return [
      ...(cells.some((cell) => cell.word) ? [[`${name}: verdict`, (cell) => cell.word]] : []),
      [name, (cell) => cell.value],
      ...(cells.some((cell) => cell.low)
        ? [[`${name}: low`, (cell) => cell.low], [`${name}: high`, (cell) => cell.high]] : []),
      ...(cells.some((cell) => cell.notes.length) ? [[`${name}: note`, (cell) => cell.notes.join("; ")]] : []),
    ];
  });
  const line = (fields) => fields.map(csvField).join(",");
  const head = line(spread.flat().map(([name]) => name));
  const body = rows.map((row) => line(spread.flatMap((parts, place) => parts.map(([, read]) => read(row[place])))));
  return [head, ...body].map((each) => `${each}\n`).join("");
}

function asMarkdown({ columns, rows, isText }) {
  const line = (fields) => `| ${fields.map(markdownText).join(" | ")} |\n`;
  const rule = `|${columns.map((_, place) => (place && !isText ? "---:" : ":---")).join("|")}|\n`;
  return line(columns) + rule + rows.map((row) => line(row.map(cellText))).join("");
}

// With the package booktabs. Behind the end of a row a bracket or a star would be an argument of it.
function asLatex({ columns, rows, isText }) {
  const line = (fields) => `${fields.map(latexText).join(" & ").replace(/^[[*]/, "{}$&")} \\\\\n`;
  const places = columns.map((_, place) => (place && !isText ? "r" : "l")).join("");
  const body = rows.map((row) => line(row.map(cellText))).join("");
  return `\\begin{tabular}{${places}}\n\\toprule\n${line(columns)}\\midrule\n${body}\\bottomrule\n\\end{tabular}\n`;
}
