// <crm-grid>: marking rows, the keyboard, and the commands that follow the selection.
//   .grid-check input[name]          the box of a row; [data-select-all] the one in the header
//   [data-when="none|one|some|two|many"]  shown while so many rows are marked: inside the grid, or anywhere for the first grid of the page
//   [data-selected][data-text]       says how many ("{n} selected")
//   [data-select-banner]             shown when the whole page is marked; [data-select-result] marks all of the result: the hidden
//                                    input [data-all-flag] becomes 1; [data-clear-selection] takes everything back
//   data-total                       on the grid: how many rows the result has, as text
import { addHandles } from "./gridwidths.js";

const WHEN = { none: (n) => n === 0, one: (n) => n === 1, some: (n) => n > 0, two: (n) => n === 2, many: (n) => n > 1 };

class Grid extends HTMLElement {
  #anchor = null;
  #swapped = () => this.refresh();

  connectedCallback() {
    for (const type of ["change", "click", "keydown", "dblclick"]) this.addEventListener(type, this);
    document.addEventListener("htmx:after:swap", this.#swapped);
    this.refresh();
  }

  disconnectedCallback() {
    document.removeEventListener("htmx:after:swap", this.#swapped);
  }

  get rows() {
    return [...this.querySelectorAll("tbody tr")];
  }

  get boxes() {
    return [...this.querySelectorAll("td.grid-check input[type=checkbox]")];
  }

  get current() {
    return this.rows.find((row) => row.tabIndex === 0);
  }

  handleEvent(event) {
    if (event.type === "change") this.#changed(event.target);
    else if (event.type === "click") this.#clicked(event);
    else if (event.type === "dblclick") this.#open(event.target.closest("tbody tr"), event);
    else if (event.target.matches("tbody tr") && this.key(event)) event.preventDefault();
  }

  #changed(box) {
    if (box.matches("[data-select-all]")) {
      for (const other of this.boxes) other.checked = box.checked;
    } else if (!box.matches("td.grid-check input")) {
      return;
    }
    this.refresh();
  }

  #clicked(event) {
    const box = event.target.closest("td.grid-check input");
    if (box) {
      const boxes = this.boxes;
      if (event.shiftKey && this.#anchor?.isConnected) {
        const [from, to] = [boxes.indexOf(this.#anchor), boxes.indexOf(box)].sort((a, b) => a - b);
        for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
        this.refresh();
      }
      this.#anchor = box;
    } else if (event.target.closest("[data-select-result]")) {
      this.#flag("1");
      this.refresh();
    } else if (event.target.closest("[data-clear-selection]")) {
      for (const other of this.boxes) other.checked = false;
      this.refresh();
    }
    const row = event.target.closest("tbody tr");
    if (row) this.#roam(row, { focus: !event.target.closest("a, button, input, label") && !String(getSelection()) });
  }

  #flag(value) {
    const flag = this.querySelector("[data-all-flag]");
    if (flag) flag.value = value;
  }

  /** Handles a key for the row in use; true when it meant something. Also called for keys pressed outside the grid. */
  key(event) {
    const inside = event.target.matches?.("tbody tr") && this.contains(event.target);
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if ((key === "j" && plain) || (inside && key === "ArrowDown")) return this.#step(1, inside);
    if ((key === "k" && plain) || (inside && key === "ArrowUp")) return this.#step(-1, inside);
    if (inside && key === "Home") return this.#roam(this.rows[0], { focus: true });
    if (inside && key === "End") return this.#roam(this.rows.at(-1), { focus: true });
    if (inside && key === "a" && !plain && !event.altKey) return this.#all();
    if (!inside || !plain) return false;
    if (key === "x" || key === " ") return this.current?.querySelector("td.grid-check input")?.click() ?? true;
    if (key === "Enter") return this.#open(this.current, event);
    return false;
  }

  #step(by, inside) {
    const rows = this.rows;
    // the first "j" of a page goes to the first row, not past it
    const at = inside ? rows.indexOf(this.current) + by : rows.indexOf(this.current);
    return this.#roam(rows[Math.max(0, Math.min(at, rows.length - 1))], { focus: true });
  }

  #roam(row, { focus = false } = {}) {
    for (const other of this.rows) other.tabIndex = other === row ? 0 : -1;
    if (focus) row?.focus();
    return true;
  }

  #all() {
    const boxes = this.boxes;
    const checked = !boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = checked;
    this.refresh();
    return true;
  }

  #open(row, event) {
    if (event.target.closest?.("a, button, input, label")) return false;
    (row?.querySelector("a[data-open]") ?? row?.querySelector("td.grid-primary a") ?? row?.querySelector("a[href]"))?.click();
    return true;
  }

  refresh() {
    const boxes = this.boxes;
    const count = boxes.filter((box) => box.checked).length;
    const whole = count > 0 && count === boxes.length;
    if (!whole) this.#flag("");
    const result = whole && this.querySelector("[data-all-flag]")?.value === "1";
    const master = this.querySelector("[data-select-all]");
    if (master) {
      master.checked = whole;
      master.indeterminate = count > 0 && !whole;
    }
    for (const output of this.querySelectorAll("[data-selected]")) {
      output.textContent = count ? output.dataset.text.replace("{n}", result ? this.dataset.total ?? "" : count) : "";
    }
    const banner = this.querySelector("[data-select-banner]");
    if (banner) {
      banner.hidden = !whole;
      for (const part of banner.querySelectorAll("[data-banner]")) part.hidden = (part.dataset.banner === "result") !== result;
    }
    this.#commands(result ? Infinity : count);
    if (!this.current && this.rows.length) this.#roam(this.rows[0]);
    addHandles(this);
  }

  #commands(count) {
    const isFirst = document.querySelector("crm-grid") === this;
    for (const element of document.querySelectorAll("[data-when]")) {
      const owner = element.closest("crm-grid") ?? element.form?.closest("crm-grid");
      if (owner === this || (!owner && isFirst)) element.hidden = !WHEN[element.dataset.when]?.(count);
    }
    this.dispatchEvent(new CustomEvent("crm:selection", { bubbles: true, detail: { count } }));
  }
}
customElements.define("crm-grid", Grid);
