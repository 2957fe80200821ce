// table.conflict: radios keep-NAME say whose value of a field is saved. Who types into the field means his own.
document.addEventListener("input", (event) => {
  const { form, name } = event.target;
  if (!form?.querySelector(".conflict") || !name || name.startsWith("keep-")) return;
  const mine = form.querySelector(`.conflict input[name="keep-${CSS.escape(name.replace(/_text$/, ""))}"][value=mine]`);
  if (mine) mine.checked = true;
});
