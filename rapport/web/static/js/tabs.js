// <crm-tabs>: a.tab[href="#id"] shows its .tab-panel and hides the others. The address keeps the choice (#id).
class Tabs extends HTMLElement {
  connectedCallback() {
    const bar = this.querySelector(".tabs");
    bar.role = "tablist";
    for (const tab of this.tabs) {
      const panel = this.panel(tab);
      tab.role = "tab";
      tab.id ||= `tab-${panel.id}`;
      tab.setAttribute("aria-controls", panel.id);
      panel.role = "tabpanel";
      panel.setAttribute("aria-labelledby", tab.id);
    }
    this.addEventListener("click", this);
    this.addEventListener("keydown", this);
    const named = this.tabs.find((tab) => tab.hash && tab.hash === location.hash);
    this.show(named ?? this.tabs[0]);
  }

  get tabs() {
    return [...this.querySelectorAll(".tabs > .tab")];
  }

  panel(tab) {
    return document.getElementById(tab.hash.slice(1));
  }

  show(chosen) {
    for (const tab of this.tabs) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      this.panel(tab).hidden = !on;
    }
  }

  handleEvent(event) {
    const tab = event.target.closest(".tab");
    if (!tab || tab.closest("crm-tabs") !== this) return;
    let chosen = tab;
    if (event.type === "keydown") {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const tabs = this.tabs;
      const sign = this.matches(":dir(rtl)") ? -1 : 1;
      chosen = tabs.at((tabs.indexOf(tab) + step * sign) % tabs.length);
      chosen.focus();
    }
    event.preventDefault();
    this.show(chosen);
    history.replaceState(history.state, "", chosen.hash);
  }
}
customElements.define("crm-tabs", Tabs);
