// form[data-upload]: sends its files and shows how far that is in [data-sending] (a progress, [data-sent], [data-stop-sending]);
// [data-broken] says when it broke off and how far it was, with a button that sends the form again, or that the files are larger than
// data-limit. The server answers with an address to go to, or with the form and what is wrong. Without a script the browser sends the form.
let sending = null;

function size(bytes) {
  const unit = bytes < 1e6 ? "kilobyte" : "megabyte";
  const number = bytes / (unit === "kilobyte" ? 1e3 : 1e6);
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: number < 10 ? 1 : 0 }).format(number);
}

function show(form, loaded, total) {
  const place = form.querySelector("[data-sending]");
  const text = place.querySelector("[data-sent]");
  const percent = Math.floor((100 * loaded) / total);
  place.hidden = false;
  form.querySelector("[data-broken]").hidden = true;
  // all is there: the server reads, and nobody can say for how long
  if (loaded < total) place.querySelector("progress").value = percent;
  else place.querySelector("progress").removeAttribute("value");
  const said = loaded < total ? text.dataset.text.replace("{percent}", percent).replace("{size}", size(total)) : text.dataset.done;
  if (text.textContent !== said) text.textContent = said;
}

function answered(form, request) {
  sending = null;
  const address = request.getResponseHeader("HX-Redirect");
  if (address) return location.assign(address);
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const place = form.closest("[id]");
  const found = page.getElementById(place.id);
  // a page of its own (too large, signed out): the browser shows it by sending the form itself
  if (!found) return form.submit();
  place.replaceWith(found);
  htmx.process(found);
  found.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" });
}

function stopped(form) {
  sending = null;
  form.querySelector("[data-sending]").hidden = true;
}

function tell(form, said, again) {
  const place = form.querySelector("[data-broken]");
  place.querySelector("p").textContent = said(place.dataset);
  place.querySelector("button").hidden = !again;
  place.hidden = false;
}

function broke(form, loaded, total) {
  stopped(form);
  const percent = total ? Math.floor((100 * loaded) / total) : 0;
  tell(form, ({ text }) => text.replace("{percent}", percent), true);
  form.querySelector("[data-broken] button").focus();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-upload]") || event.defaultPrevented) return;
  const files = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
  if (!files.length) return;
  event.preventDefault();
  if (sending) return;
  // the server would refuse it only when all of it is there
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes > Number(form.dataset.limit)) return tell(form, ({ large }) => large.replace("{size}", size(bytes)), false);
  let loaded = 0;
  let total = 0;
  sending = new XMLHttpRequest();
  sending.upload.addEventListener("progress", (step) => {
    ({ loaded, total } = step);
    show(form, loaded, total);
  });
  sending.addEventListener("load", () => answered(form, sending));
  sending.addEventListener("abort", () => stopped(form));
  sending.addEventListener("error", () => broke(form, loaded, total));
  sending.open("POST", form.action);
  sending.setRequestHeader("HX-Request", "true");
  sending.send(new FormData(form));
});

document.addEventListener("change", (event) => {
  // another file: what was said of the last one is over
  const place = event.target.matches("input[type=file]") && event.target.form?.querySelector("[data-broken]");
  if (place) place.hidden = true;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-stop-sending]")) sending?.abort();
});
