// data-hotkey="n" or "g a" on a link, button or input: the key presses it (focuses an input). "?" shows all of them.
const STORE = "hotkeys";
let first = "";
let timer = 0;

const isOff = () => {
  try {
    return localStorage.getItem(STORE) === "off";
  } catch {
    return false;
  }
};

const isTyping = (element) => element.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const declared = () => [...document.querySelectorAll("[data-hotkey]")].filter((element) => !element.hidden);

function press(element) {
  if (element.matches("input, textarea, select")) {
    element.focus();
    element.select?.();
  } else {
    element.click();
    // a button that opens a menu: go on with the keyboard
    const menu = document.getElementById(element.getAttribute("popovertarget") ?? "");
    if (menu?.matches(":popover-open")) menu.querySelector("a, button")?.focus();
  }
}

function list() {
  const dialog = document.getElementById("hotkeys");
  // of two with the same key the one that is pressed
  const pressed = declared().filter((element, at, all) => all.findLastIndex((other) => other.dataset.hotkey === element.dataset.hotkey) === at);
  const rows = pressed.map((element) => {
    const row = document.createElement("div");
    const keys = document.createElement("dt");
    const text = document.createElement("dd");
    for (const key of element.dataset.hotkey.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = key.length === 1 ? key.toUpperCase() : key;
      keys.append(cap, " ");
    }
    text.textContent = element.getAttribute("aria-label") ?? element.firstElementChild?.nextSibling?.textContent?.trim() ?? element.textContent.trim();
    row.append(keys, text);
    return row;
  });
  dialog.querySelector("[data-hotkey-list]").replaceChildren(...rows);
  dialog.querySelector("[data-hotkeys-off]").checked = isOff();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-open-dialog=hotkeys]")) list();
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-hotkeys-off]")) return;
  try {
    localStorage.setItem(STORE, event.target.checked ? "off" : "on");
  } catch {
    // then they stay on
  }
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return press(document.getElementById("search"));
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || isOff() || document.querySelector("dialog[open], .menu:popover-open")) return;
  const key = event.key === "?" ? "?" : event.key.toLowerCase();
  const wanted = first ? `${first} ${key}` : key;
  clearTimeout(timer);
  // what the page says itself goes before what stands on every page
  const hit = declared().findLast((element) => element.dataset.hotkey === wanted);
  const begins = !first && declared().some((element) => element.dataset.hotkey.startsWith(`${key} `));
  first = begins && !hit ? key : "";
  // a forgotten "g" must not wait for ever
  if (first) timer = setTimeout(() => { first = ""; }, 1500);
  const action = hit ?? (key === "/" && (document.querySelector("[data-quickfind]") ?? document.getElementById("search")));
  if (action) {
    event.preventDefault();
    press(action);
  } else if (key === "?") {
    event.preventDefault();
    list();
    document.getElementById("hotkeys").showModal();
  } else if (!first && document.querySelector("crm-grid")?.key?.(event)) {
    event.preventDefault();
  }
});
