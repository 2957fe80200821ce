// <crm-pairs>: the keyboard of a queue of rows, one decision each (rows: a selector, ".pair" without). One row is the current one; its
// elements with data-key="m" get the hotkey "m" (hotkeys.js presses and lists them). j, k and the arrows go on and back; a row that was
// decided hands over to the next. Enter goes into the first input[data-cell] of the row; leaving a changed one saves it.
class Pairs extends HTMLElement {
  #swapped = (event) => {
    // later: htmx gives the focus back to what has the id that had it
    if (event.detail.ctx?.target?.matches?.(this.#selector)) setTimeout(() => this.#handOver());
  };
  #pressed = (event) => this.#key(event);
  #edits = false;
  #points = false;

  connectedCallback() {
    this.addEventListener("focusin", (event) => this.#take(event.target.closest(this.#selector), false));
    this.addEventListener("change", (event) => this.#changed(event.target));
    this.addEventListener("pointerdown", () => { this.#points = true; });
    this.addEventListener("focusout", (event) => this.#left(event.target));
    this.addEventListener("submit", (event) => this.#sent(event.target));
    document.addEventListener("keydown", this.#pressed);
    document.addEventListener("htmx:after:swap", this.#swapped);
    this.#take(this.#rows[0], false);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#pressed);
    document.removeEventListener("htmx:after:swap", this.#swapped);
  }

  get #selector() {
    return this.getAttribute("rows") ?? ".pair";
  }

  get #rows() {
    return [...this.querySelectorAll(this.#selector)];
  }

  #take(row, focus) {
    if (!row) return;
    for (const other of this.#rows) {
      other.toggleAttribute("data-current", other === row);
      for (const element of other.querySelectorAll("[data-key]")) {
        if (other === row) element.dataset.hotkey = element.dataset.key;
        else delete element.dataset.hotkey;
      }
    }
    this.place = this.#rows.indexOf(row);
    if (!focus) return;
    const input = this.#edits && row.querySelector("[aria-invalid][data-cell]");
    input?.select?.();
    (input || row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    this.#points = false;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && event.target.matches?.("[data-cell]")) return this.#leave(event.target);
    if (event.key === "Enter" && event.target.matches?.("select[data-cell]")) {
      event.preventDefault();
      return this.#save(event.target);
    }
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog, .menu")) return;
    // the row that is marked on a fresh page has no focus yet
    const row = event.target === document.body ? this.#rows[this.place] : event.target;
    if (event.key === "Enter" && row?.matches?.(this.#selector)) return this.#edit(event, row);
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    // arrows scroll the page until one is in the queue
    const inside = this.contains(event.target);
    const step = key === "j" || (inside && key === "ArrowDown") ? 1 : key === "k" || (inside && key === "ArrowUp") ? -1 : 0;
    if (!step || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.#edits = false;
    const rows = this.#rows;
    // the first "j" of a page goes to the first row, not past it
    const at = inside ? this.place + step : this.place;
    this.#take(rows[Math.max(0, Math.min(at, rows.length - 1))], true);
  }

  #edit(event, row) {
    const input = row.querySelector("[data-cell]");
    if (!input) return;
    event.preventDefault();
    this.#edits = true;
    input.focus();
    input.select?.();
  }

  #leave(input) {
    if (input.matches("select")) input.selectedIndex = 0;
    else input.value = input.defaultValue;
    this.#edits = false;
    input.closest(this.#selector).focus();
  }

  #changed(input) {
    // with arrow keys a list changes on the way to what is meant: it is saved when it is left
    if (input.matches("input[data-cell]") || (this.#points && input.matches("select[data-cell]"))) this.#save(input);
  }

  #left(input) {
    if (input.matches("select[data-cell]") && input.selectedIndex > 0) this.#save(input);
  }

  #save(input) {
    const form = input.form;
    // Enter sends the form by itself, right after this
    setTimeout(() => {
      if (form.isConnected && !("sent" in form.dataset)) form.requestSubmit(form.elements.repair);
    });
  }

  #sent(form) {
    form.dataset.sent = "";
    // after a repair the next wrong cell, after a decision the next row
    this.#edits = Boolean(document.activeElement?.matches("[data-cell]"));
  }

  #handOver() {
    // what replaced the current row was decided: on to the next that is not
    const rows = this.#rows;
    if (!rows.length) return;
    // somebody who has gone on to another row by himself stays there
    const active = document.activeElement?.closest?.(this.#selector);
    if (active && this.contains(active) && rows.indexOf(active) !== this.place) return;
    const open = (row) => !row.hasAttribute("data-decided");
    this.#take(rows.slice(this.place).find(open) ?? rows.find(open) ?? rows.at(-1), true);
  }
}
customElements.define("crm-pairs", Pairs);
