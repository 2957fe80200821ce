// <crm-time><time datetime="2026-11-20T15:23:00Z">20 Nov, 15:23</time></crm-time>: says how long ago while it is less than a day, in the
// reader's language, and the full time in a tooltip. The server's text, in the reader's zone, stays for anything older.
const lang = document.documentElement.lang || undefined;
const ago = new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" });
const full = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "short" });

class RelativeTime extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    const time = this.querySelector("time");
    if (!time) return;
    this.when = new Date(time.dateTime);
    if (Number.isNaN(this.when.valueOf())) return;
    time.title = full.format(this.when);
    this.show();
    this.#timer = setInterval(() => this.show(), 60_000);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  show() {
    const seconds = (this.when - Date.now()) / 1000;
    if (Math.abs(seconds) > 86_400) return clearInterval(this.#timer);
    const [size, unit] = Math.abs(seconds) < 3600 ? [60, "minute"] : [3600, "hour"];
    this.querySelector("time").textContent = ago.format(Math.round(seconds / size), unit);
  }
}
customElements.define("crm-time", RelativeTime);
