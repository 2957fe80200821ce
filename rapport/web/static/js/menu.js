// .menu popovers: arrow keys, and closing once something was chosen. Opening is the browser's (popovertarget).
import { place } from "./place.js";

const ITEMS = ".menu-item:not(:disabled), .button:not(:disabled, [aria-disabled]), input, select, textarea";

function items(menu) {
  return [...menu.querySelectorAll(ITEMS)].filter((item) => item.checkVisibility() && item.closest(".menu") === menu);
}

function opener(menu) {
  return document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]:not([popovertargetaction])`);
}

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!(menu instanceof HTMLElement) || !menu.popover || !menu.id) return;
  const open = event.newState === "open";
  const button = opener(menu);
  button?.setAttribute("aria-expanded", String(open));
  if (!open || !menu.matches(".menu")) return;
  place(menu, button);
  if (button?.matches(":focus-visible")) items(menu)[0]?.focus();
}, true);

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const trigger = event.target.closest?.("[popovertarget]");
  const inside = event.target.closest?.(".menu");
  if (step && trigger && trigger.closest(".menu") === null) {
    const menu = document.getElementById(trigger.getAttribute("popovertarget"));
    if (!menu?.matches(".menu")) return;
    event.preventDefault();
    menu.showPopover({ source: trigger });
    items(menu).at(step > 0 ? 0 : -1)?.focus();
  } else if (inside && !event.target.matches("input, select, textarea")) {
    const all = items(inside);
    const at = all.indexOf(document.activeElement);
    const next = step ? all.at((at + step) % all.length) : event.key === "Home" ? all[0] : event.key === "End" ? all.at(-1) : null;
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
});

document.addEventListener("click", (event) => {
  const item = event.target.closest(".menu-item, .menu .button");
  if (!item || item.matches("[popovertarget], [data-stay]")) return;
  // the outermost one: closing it closes what it holds
  let menu = item.closest(".menu");
  while (menu?.parentElement?.closest(".menu")) menu = menu.parentElement.closest(".menu");
  if (menu?.matches(":popover-open")) menu.hidePopover();
});
