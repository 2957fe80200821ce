// <crm-drop>: files dropped on it, or pasted anywhere on its page, go into its <input type="file">. <output class="drop-file"> names
// them; data-submit sends the form at once.
class Drop extends HTMLElement {
  #paste = (event) => this.#take(event.clipboardData?.files, event);

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
    for (const file of this.input.multiple ? files : [files[0]]) chosen.items.add(file);
    this.input.files = chosen.files;
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #chosen() {
    const size = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 });
    const output = this.querySelector(".drop-file");
    if (output) output.textContent = [...this.input.files].map((file) => `${file.name} · ${size.format(Math.ceil(file.size / 1024))}`).join(", ");
    if (this.hasAttribute("data-submit") && this.input.files.length) this.input.form?.requestSubmit();
  }
}
customElements.define("crm-drop", Drop);
