// <crm-field>: one value that is edited in place. It holds the value and a link a.fact-edit[hx-get][hx-target="closest crm-field"];
// the link brings a <form hx-post hx-target="closest crm-field">, its answer the value again (200) or the form with errors (422, 409).
// A click on the value or Enter edits, Enter and leaving save, Esc takes back. Without a script the link opens the plain form.
class Field extends HTMLElement {
  #value = "";
  #refocus = false;
  #saving = false;

  connectedCallback() {
    for (const type of ["click", "keydown", "focusout", "input", "change", "submit"]) this.addEventListener(type, this);
    this.settle();
  }

  get form() {
    return this.querySelector("form");
  }

  handleEvent(event) {
    if (event.type === "click") this.#clicked(event);
    else if (event.type === "input") this.form.dataset.dirty = "";
    else if (event.type === "submit") this.#saving = true;
    else if (event.type === "change") this.#changed(event);
    else if (event.type === "focusout") this.#left(event);
    else this.#key(event);
  }

  #clicked(event) {
    if (this.form || event.target.closest("a, button, summary") || String(getSelection())) return;
    this.querySelector(".fact-edit")?.click();
  }

  #key(event) {
    if (!this.form || event.defaultPrevented) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.cancel({ focus: true });
    } else if (event.key === "Enter") {
      // in a long text Enter is a new line, Ctrl + Enter saves
      if (event.target.matches("textarea") && !event.ctrlKey && !event.metaKey) return;
      if (event.target.matches("button, a")) return;
      event.preventDefault();
      this.#refocus = true;
      this.save();
    }
  }

  // a choice, a tick or a found record is complete at once
  #changed(event) {
    this.form.dataset.dirty = "";
    if (event.target.matches("select, input[type=checkbox], input[type=radio], crm-lookup > input[type=hidden]") && event.target.value) {
      this.#refocus = true;
      this.save();
    }
  }

  #left(event) {
    // two values to choose from: leaving is no choice
    if (!this.form || this.form.hasAttribute("data-conflict") || this.contains(event.relatedTarget)) return;
    // a mere change of window is not leaving
    setTimeout(() => {
      if (document.hasFocus() && this.form && !this.contains(document.activeElement)) this.save();
    });
  }

  save() {
    if (this.#saving) return;
    if (this.form.hasAttribute("data-dirty")) this.form.requestSubmit();
    else this.cancel({ focus: this.#refocus });
  }

  cancel({ focus }) {
    this.innerHTML = this.#value;
    htmx.process(this);
    this.settle();
    if (focus) this.querySelector(".fact-edit")?.focus();
  }

  /** Takes in what now stands inside. */
  settle() {
    this.#saving = false;
    this.toggleAttribute("data-editing", Boolean(this.form));
    if (this.form) {
      const first = this.form.hasAttribute("data-conflict") ? "button" : "[autofocus], [aria-invalid=true], input:not([type=hidden]), select, textarea";
      const control = this.form.querySelector(first);
      control?.focus();
      if (control?.matches("input[type=text], input:not([type])")) control.select();
    } else {
      this.#value = this.innerHTML;
      if (this.#refocus) this.querySelector(".fact-edit")?.focus();
      this.#refocus = false;
    }
  }
}
customElements.define("crm-field", Field);

document.addEventListener("htmx:after:swap", (event) => {
  const field = event.detail.ctx?.target;
  if (field instanceof Field) field.settle();
});
document.addEventListener("htmx:error", (event) => {
  event.detail.ctx?.target?.closest?.("crm-field")?.settle();
});
