// <crm-search>: the results of the global search, as htmx brings them, become a list under the input. Enter without a choice
// sends the form and shows the page of results.
import { Listbox } from "./listbox.js";

class Search extends HTMLElement {
  #swapped = (event) => {
    if (event.detail.ctx?.target !== this.list) return;
    if (this.input.value.trim() && document.activeElement === this.input) this.box.open({ first: false });
    else this.box.close();
  };

  connectedCallback() {
    this.input = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.box ??= new Listbox(this.input, this.list, (option, event) => {
      if (event.type === "keydown") option.click();
      else this.box.close();
    });
    this.input.addEventListener("focus", () => this.input.value.trim() && this.box.open({ first: false }));
    document.addEventListener("htmx:after:swap", this.#swapped);
  }

  disconnectedCallback() {
    document.removeEventListener("htmx:after:swap", this.#swapped);
  }
}
customElements.define("crm-search", Search);
