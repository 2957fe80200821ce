// form[data-autosubmit]: sends itself while one types, at once when a choice changes. With hx-get on the form htmx takes it from there.
const timers = new WeakMap();

function later(form, delay) {
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => form.isConnected && form.requestSubmit(), delay));
}

const formOf = (event) => event.target.form?.closest("form[data-autosubmit]");

document.addEventListener("input", (event) => {
  const form = formOf(event);
  // a syllable that is still being composed is not a word yet
  if (form && !event.isComposing && event.target.matches("input:not([type=checkbox], [type=radio]), textarea")) later(form, 250);
});

document.addEventListener("change", (event) => {
  const form = formOf(event);
  if (form && event.target.matches("select, [type=checkbox], [type=radio], [type=date], [type=hidden]")) later(form, 0);
});

document.addEventListener("submit", (event) => clearTimeout(timers.get(event.target)));
