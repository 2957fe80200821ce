// <dialog id="dialog"> opens when htmx has put something into it and is emptied when it closes; so is <aside id="aside">.
// [data-close] closes what it stands in, [data-open-dialog="id"] opens a dialog of the page, the event crm:close closes from the server.
import { mayLeave } from "./guard.js";

const FIRST = "[autofocus], input:not([type=hidden], :disabled), select, textarea, a[href], button:not([data-close])";
let opener = null;

async function close(box) {
  if (!(await mayLeave(box))) return;
  if (box.matches("dialog")) {
    box.close();
  } else {
    box.replaceChildren();
    opener?.focus();
  }
}

document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx.target?.matches?.("#aside")) opener = event.detail.ctx.sourceElement;
});

document.addEventListener("htmx:after:swap", (event) => {
  const box = event.detail.ctx?.target;
  if (box?.id === "dialog") {
    if (!box.childElementCount) box.close();
    else if (!box.open) box.showModal();
    else if (!box.contains(document.activeElement)) box.querySelector(FIRST)?.focus();
  } else if (box?.id === "aside") {
    box.querySelector(FIRST)?.focus();
  }
});

document.addEventListener("crm:close", () => {
  const dialog = document.getElementById("dialog");
  // saved: what was typed is not lost any more
  dialog.replaceChildren();
  dialog.close();
});

document.addEventListener("click", (event) => {
  const opens = event.target.closest("[data-open-dialog]");
  if (opens) document.getElementById(opens.dataset.openDialog)?.showModal();
  const closes = event.target.closest("[data-close]");
  if (closes) close(closes.closest("dialog, .aside"));
});

// A press that began on the backdrop; one that began inside and slipped out must not throw the form away.
document.addEventListener("pointerdown", (event) => {
  if (event.target.matches?.("dialog.dialog:modal")) {
    const box = event.target.getBoundingClientRect();
    const outside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
    if (outside) close(event.target);
  }
});

document.addEventListener("cancel", (event) => {
  if (!event.target.matches?.("#dialog") || !event.target.querySelector("form[data-dirty]")) return;
  event.preventDefault();
  close(event.target);
}, true);

document.addEventListener("close", (event) => {
  if (event.target.id === "dialog") event.target.replaceChildren();
}, true);

document.addEventListener("keydown", (event) => {
  const aside = event.key === "Escape" && event.target.closest?.(".aside");
  if (aside) close(aside);
});
