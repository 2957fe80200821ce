// form[data-choices]: each choice asks the server what comes of it (hx-trigger="change"); in the answer the focus is where it was.
// (getAttribute: a form.id is the field of that name.)
let place = null;

document.addEventListener("change", ({ target }) => {
  if (target.form?.matches("[data-choices]")) place = [target.form.getAttribute("id"), target.name, target.value];
}, true);

document.addEventListener("htmx:after:swap", () => {
  if (!place) return;
  const [id, name, value] = place;
  place = null;
  const form = document.getElementById(id);
  [...(form?.elements ?? [])].find((one) => one.name === name && one.value === value)?.focus({ preventScroll: true });
});
