// <crm-overflow>: moves what does not fit from .commandbar-items into the menu beside .commandbar-more, from the end.
class Overflow extends HTMLElement {
  #observer = new ResizeObserver(() => this.layout());
  #layout = () => this.layout();

  connectedCallback() {
    this.#observer.observe(this);
    document.addEventListener("crm:selection", this.#layout);
    document.fonts?.ready.then(this.#layout);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    document.removeEventListener("crm:selection", this.#layout);
  }

  layout() {
    const bar = this.querySelector(":scope > .commandbar-items");
    const menu = this.querySelector(":scope > .menu");
    if (!bar || !menu) return;
    // not while the reader is in it: focus would be lost
    if (menu.matches(":popover-open")) return;
    bar.append(...menu.children);
    let last = bar.lastElementChild;
    while (last && bar.scrollWidth > bar.clientWidth + 1) {
      const before = last.previousElementSibling;
      if (!last.hasAttribute("data-keep")) menu.prepend(last);
      last = before;
    }
  }
}
customElements.define("crm-overflow", Overflow);
