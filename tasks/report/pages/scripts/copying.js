// Copying a table, as it stands, with what is hidden left out: a button that unfolds, and one a format.

const FORMATS = { CSV: asCsv, Markdown: asMarkdown, LaTeX: asLatex };

// Pages that do not come over https have no clipboard of their own: then what is selected is copied.
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

function addCopying(table) {
  const title = oneLine(table.caption?.querySelector(".name")?.textContent ?? "the table").replace(/\.$/, "");
  const fold = create("details", { className: "copy" });
  const said = create("span", { role: "status" });
  const buttons = Object.entries(FORMATS).map(([name, write]) => {
    const button = create("button", { type: "button", textContent: name });
    button.addEventListener("click", async () => {
      const read = readTable(table);
      const done = await toClipboard(write(read));
      button.focus();
      said.textContent = done ? `copied ${read.rows.length} rows` : "the browser does not let it be copied";
    });
    return button;
  });
  const summary = create("summary", { textContent: "Copy" });
  summary.append(create("span", { className: "unseen", textContent: ` ${title}` }));
  fold.append(summary, ...buttons, said);
  (table.closest(".scroll") ?? table).after(fold);
}
