// <crm-lookup data-url [data-create-url data-create-text]> around an input of text and a hidden input of the key (ui/lookup.html).
// data-url?q= answers [role=option][data-value] elements; data-create-url takes a post of `name` and answers one such option.
import { Listbox } from "./listbox.js";

const csrf = () => JSON.parse(document.body.getAttribute("hx-headers:inherited") ?? "{}");

class Lookup extends HTMLElement {
  #timer = 0;
  #request = null;

  connectedCallback() {
    if (this.box) return;
    this.input = this.querySelector("input:not([type=hidden])");
    this.key = this.querySelector("input[type=hidden]");
    const list = document.createElement("div");
    list.className = "listbox";
    list.role = "listbox";
    list.popover = "manual";
    list.ariaLabel = this.input.labels?.[0]?.textContent.trim() ?? this.input.name;
    this.append(list);
    this.box = new Listbox(this.input, list, (option) => this.#choose(option));
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("click", () => this.#load(0));
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !this.box.isOpen && !event.defaultPrevented) this.#load(0);
    });
  }

  #typed() {
    // the text no longer says what the key says
    if (this.key.value) this.#set("");
    this.#load(180);
  }

  #set(value) {
    this.key.value = value;
    // a key set by script fires nothing by itself, and others wait for it (unsaved changes, edit in place)
    this.key.setAttribute("value", value);
    this.key.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #load(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fetch(), delay);
  }

  async #fetch() {
    this.#request?.abort();
    this.#request = new AbortController();
    const url = new URL(this.dataset.url, location.href);
    const text = this.key.value ? "" : this.input.value.trim();
    url.searchParams.set("q", text);
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: this.#request.signal });
      if (!answer.ok) return;
      this.box.list.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      return;
    }
    this.#offerCreate(text);
    if (document.activeElement === this.input) this.box.open({ first: Boolean(text) });
  }

  #offerCreate(text) {
    const known = this.box.options.some((option) => label(option).toLowerCase() === text.toLowerCase());
    if (!this.dataset.createUrl || !text || known) return;
    const option = document.createElement("div");
    option.className = "listbox-option";
    option.role = "option";
    option.dataset.create = text;
    option.textContent = this.dataset.createText.replace("{q}", text);
    this.box.list.append(option);
  }

  async #choose(option) {
    if (option.dataset.create) return this.#create(option);
    this.input.value = label(option);
    this.box.close();
    this.#set(option.dataset.value);
  }

  async #create(option) {
    const body = new URLSearchParams({ name: option.dataset.create });
    const answer = await fetch(this.dataset.createUrl, { method: "POST", body, headers: { "HX-Request": "true", ...csrf() } });
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    const made = answer.ok && holder.content.querySelector("[role=option]");
    if (made) return this.#choose(made);
    const note = document.createElement("p");
    note.className = "listbox-note";
    note.setAttribute("role", "alert");
    note.textContent = holder.content.textContent.trim() || `${answer.status}`;
    option.replaceWith(note);
  }
}

/** The name in an option: its data-label, or its first line without what <small> adds. */
function label(option) {
  return option.dataset.label ?? (option.querySelector("b") ?? option).textContent.trim();
}

customElements.define("crm-lookup", Lookup);
