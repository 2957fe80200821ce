// What a combobox does with its list: show, walk through with the arrow keys, choose. Focus stays in the input (ARIA 1.2 pattern).
import { place } from "./place.js";

let counter = 0;

export class Listbox {
  /** @param {HTMLInputElement} input @param {HTMLElement} list @param {(option: HTMLElement) => void} choose */
  constructor(input, list, choose) {
    Object.assign(this, { input, list, choose, anchor: input.closest(".search") ?? input });
    list.id ||= `listbox-${++counter}`;
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" })) {
      input.setAttribute(name, value);
    }
    input.addEventListener("keydown", this);
    input.addEventListener("blur", this);
    list.addEventListener("pointerdown", this);
    list.addEventListener("click", this);
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get active() {
    return this.list.querySelector("[aria-selected=true]");
  }

  get isOpen() {
    return this.list.matches(":popover-open");
  }

  open({ first = true } = {}) {
    if (!this.list.childElementCount) return this.close();
    if (!this.isOpen) this.list.showPopover({ source: this.anchor });
    place(this.list, this.anchor);
    this.input.setAttribute("aria-expanded", "true");
    this.#mark(first ? this.options[0] : undefined);
  }

  close() {
    if (this.isOpen) this.list.hidePopover();
    this.input.setAttribute("aria-expanded", "false");
    this.#mark();
  }

  #mark(option) {
    for (const other of this.options) other.setAttribute("aria-selected", String(other === option));
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    option.id ||= `option-${++counter}`;
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  handleEvent(event) {
    // the list must not take the focus, else blur closes it before the click arrives
    if (event.type === "pointerdown") return event.preventDefault();
    if (event.type === "blur") return this.close();
    if (event.type === "click") {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option, event);
      return;
    }
    if (!this.isOpen || event.isComposing) return;
    const options = this.options;
    const at = options.indexOf(this.active);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#mark(options.at(at < 0 && step < 0 ? -1 : (at + step) % options.length));
    } else if (event.key === "Enter" && this.active) {
      this.choose(this.active, event);
    } else if (event.key === "Escape") {
      this.close();
      // only the list: not the dialog or the edit around it
      event.stopPropagation();
    } else {
      return;
    }
    event.preventDefault();
  }
}
