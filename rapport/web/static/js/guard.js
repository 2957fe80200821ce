// form[data-guard]: warns before typed text is lost. The server may render data-dirty on a form that it sends back with errors.
import { ask } from "./confirm.js";

const DIRTY = "form[data-guard][data-dirty]";

/** True when nothing would be lost inside `root`, or the reader agrees to lose it. */
export async function mayLeave(root) {
  const form = root.querySelector(DIRTY);
  if (!form) return true;
  if (!(await ask(document.getElementById("guard-text").content.textContent))) return false;
  form.removeAttribute("data-dirty");
  return true;
}

function touched(event) {
  event.target.form?.closest("form[data-guard]")?.setAttribute("data-dirty", "");
}

document.addEventListener("input", touched);
document.addEventListener("change", touched);
// runs after a confirmation had its say
document.addEventListener("submit", (event) => event.target.removeAttribute("data-dirty"));

addEventListener("beforeunload", (event) => {
  if (document.querySelector(DIRTY)) event.preventDefault();
});
