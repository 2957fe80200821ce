// .toast messages: [data-dismiss] closes one; those without an action leave by themselves. The server adds one with the header
// HX-Trigger: {"crm:toast": {"text": "Saved", "tone": "ok", "undo": "/operations/7/undo/"}}.
const STAY = 6000;
const box = document.getElementById("toasts");

function leaveSoon(toast) {
  if (toast.dataset.tone === "bad" || toast.querySelector("form, a")) return;
  setTimeout(() => {
    // still being read
    if (toast.matches(":hover, :focus-within")) leaveSoon(toast);
    else toast.remove();
  }, STAY);
}

document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast, .notice")?.remove());

document.addEventListener("crm:toast", (event) => {
  const { text, tone = "ok", undo } = event.detail;
  const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  toast.dataset.tone = tone;
  toast.querySelector(".toast-text").textContent = text;
  const form = toast.querySelector("form");
  if (undo) form.action = undo;
  else form.remove();
  const use = toast.querySelector("use");
  const name = { ok: "circle-check-big", warn: "circle-alert", bad: "circle-alert" }[tone] ?? "info";
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
  box.append(toast);
});

if (box) {
  new MutationObserver((records) => {
    for (const node of records.flatMap((record) => [...record.addedNodes])) if (node.matches?.(".toast")) leaveSoon(node);
  }).observe(box, { childList: true });
  for (const toast of box.children) leaveSoon(toast);
}
