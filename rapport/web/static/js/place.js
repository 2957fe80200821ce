// Puts a popover beside its button where the browser cannot do it by itself (CSS anchor positioning).
const native = CSS.supports("position-area", "block-end");

/** @param {HTMLElement} popover @param {Element} anchor */
export function place(popover, anchor) {
  if (native || !anchor) return;
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const atEnd = (popover.dataset.align === "end") !== popover.matches(":dir(rtl)");
  const left = atEnd ? box.right - width : box.left;
  const top = box.bottom + height + 8 > innerHeight && box.top > height ? box.top - height - 8 : box.bottom;
  popover.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  popover.style.top = `${top}px`;
  popover.style.minWidth = `${box.width}px`;
}
