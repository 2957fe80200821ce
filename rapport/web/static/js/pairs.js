// <crm-pairs>: the keyboard of the queue of duplicates. One row (li.pair) is the current one; its elements with data-key="m" get the
// hotkey "m" (hotkeys.js presses and lists them). j, k and the arrows go on and back; a row that was decided hands over to the next.
class Pairs extends HTMLElement {
  #swapped = (event) => {
    // later: htmx gives the focus back to what has the id that had it
    if (event.detail.ctx?.target?.id?.startsWith("pair-")) setTimeout(() => this.#handOver());
  };
  #pressed = (event) => this.#key(event);

  connectedCallback() {
    this.addEventListener("focusin", (event) => this.#take(event.target.closest(".pair"), false));
    document.addEventListener("keydown", this.#pressed);
    document.addEventListener("htmx:after:swap", this.#swapped);
    this.#take(this.#rows[0], false);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#pressed);
    document.removeEventListener("htmx:after:swap", this.#swapped);
  }

  get #rows() {
    return [...this.querySelectorAll(".pair")];
  }

  get #current() {
    return this.querySelector(".pair[data-current]");
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
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog, .menu")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    // arrows scroll the page until one is in the queue
    const inside = this.contains(event.target);
    const step = key === "j" || (inside && key === "ArrowDown") ? 1 : key === "k" || (inside && key === "ArrowUp") ? -1 : 0;
    if (!step || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    const rows = this.#rows;
    // the first "j" of a page goes to the first row, not past it
    const at = inside ? this.place + step : this.place;
    this.#take(rows[Math.max(0, Math.min(at, rows.length - 1))], true);
  }

  #handOver() {
    // what replaced the current row was decided: on to the next that is not
    const rows = this.#rows;
    if (!rows.length) return;
    const open = (row) => !row.hasAttribute("data-decided");
    this.#take(rows.slice(this.place).find(open) ?? rows.find(open) ?? rows.at(-1), true);
  }
}
customElements.define("crm-pairs", Pairs);
