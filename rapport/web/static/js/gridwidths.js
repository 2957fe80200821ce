// Column widths of a <crm-grid>: drag the edge of a header (th[data-column]) or use the arrow keys on it. The width stands in
// <col width>, and all widths go as "name:240,city:120" to the hidden input of form[data-grid-widths] when the hand lets go.
const MIN = 60;
const STEP = 16;

/** @param {HTMLElement} grid */
export function addHandles(grid) {
  if (!grid.querySelector("form[data-grid-widths]")) return;
  for (const head of grid.querySelectorAll("th[data-column]:not(:has(.grid-resize))")) {
    const handle = document.createElement("span");
    handle.className = "grid-resize";
    handle.tabIndex = 0;
    handle.role = "separator";
    handle.ariaOrientation = "vertical";
    handle.ariaLabel = head.textContent.trim();
    handle.ariaValueMin = String(MIN);
    handle.ariaValueNow = String(Math.round(head.offsetWidth));
    head.append(handle);
  }
}

const colOf = (head) => head.closest("table").querySelectorAll("col")[head.cellIndex];

function setWidth(handle, width) {
  const head = handle.parentElement;
  const size = Math.max(MIN, Math.round(width));
  colOf(head).width = String(size);
  handle.ariaValueNow = String(size);
}

// With a fixed layout all columns share the room that is left: before one moves, each must own what it shows.
function freeze(table) {
  for (const head of table.tHead.rows[0].cells) colOf(head).width = String(Math.round(head.offsetWidth));
}

function save(handle) {
  const form = handle.closest("crm-grid").querySelector("form[data-grid-widths]");
  const heads = handle.closest("table").querySelectorAll("th[data-column]");
  form.querySelector("input[name=widths]").value = [...heads].map((head) => `${head.dataset.column}:${colOf(head).width}`).join(",");
  form.requestSubmit();
}

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest?.(".grid-resize");
  if (!handle || event.button) return;
  event.preventDefault();
  const head = handle.parentElement;
  const sign = head.matches(":dir(rtl)") ? -1 : 1;
  freeze(head.closest("table"));
  const start = { x: event.clientX, width: head.offsetWidth };
  const move = (moved) => setWidth(handle, start.width + sign * (moved.clientX - start.x));
  handle.setPointerCapture(event.pointerId);
  handle.dataset.active = "";
  handle.addEventListener("pointermove", move);
  handle.addEventListener("lostpointercapture", () => {
    handle.removeEventListener("pointermove", move);
    delete handle.dataset.active;
    save(handle);
  }, { once: true });
});

document.addEventListener("keydown", (event) => {
  const handle = event.target.closest?.(".grid-resize");
  const step = { ArrowRight: STEP, ArrowLeft: -STEP }[event.key];
  if (!handle || !step) return;
  event.preventDefault();
  const head = handle.parentElement;
  freeze(head.closest("table"));
  setWidth(handle, head.offsetWidth + (head.matches(":dir(rtl)") ? -step : step));
  save(handle);
});
