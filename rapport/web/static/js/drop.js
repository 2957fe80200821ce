// <crm-drop>: files dropped on it, or pasted anywhere on its page, go into its <input type="file">. <output class="drop-file"> names
// them; data-submit sends the form at once. data-cells="name": cells that are pasted become a text file of that name.
class Drop extends HTMLElement {
  #paste = (event) => this.#pasted(event);

  connectedCallback() {
    for (const type of ["dragenter", "dragover", "dragleave", "drop", "change"]) this.addEventListener(type, this);
    document.addEventListener("paste", this.#paste);
  }

  disconnectedCallback() {
    document.removeEventListener("paste", this.#paste);
  }

  get input() {
    return this.querySelector("input[type=file]");
  }

  handleEvent(event) {
    if (event.type === "change") return this.#chosen();
    if (event.type === "drop") {
      this.removeAttribute("data-over");
      return this.#take(event.dataTransfer.files, event);
    }
    if (event.type === "dragleave") {
      if (!this.contains(event.relatedTarget)) this.removeAttribute("data-over");
    } else if (event.dataTransfer.types.includes("Files")) {
      event.preventDefault();
      this.toggleAttribute("data-over", true);
    }
  }

  #take(files, event) {
    if (!files?.length) return;
    event.preventDefault();
    const chosen = new DataTransfer();
    // several, one after the other, are one import
    for (const file of this.input.multiple ? [...this.input.files, ...files] : [files[0]]) chosen.items.add(file);
    this.input.files = chosen.files;
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #pasted(event) {
    const data = event.clipboardData;
    const text = data?.getData("text/plain") ?? "";
    const isCells = this.dataset.cells && text.trim().includes("\n") && !event.target.closest?.("input, textarea, select, dialog");
    // Excel also offers a picture of the cells: the text is what was meant
    if (isCells) this.#take([new File(["\ufeff", text], `${this.dataset.cells}.txt`, { type: "text/plain" })], event);
    else if (!text) this.#take(data?.files, event);
  }

  #chosen() {
    const size = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 });
    const output = this.querySelector(".drop-file");
    if (output) output.textContent = [...this.input.files].map((file) => `${file.name} · ${size.format(Math.ceil(file.size / 1024))}`).join(", ");
    if (!this.input.files.length) return;
    if (this.hasAttribute("data-submit")) this.input.form?.requestSubmit();
    else this.input.form?.querySelector("button[type=submit]")?.focus();
  }
}
customElements.define("crm-drop", Drop);
