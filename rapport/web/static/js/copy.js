// <button data-copy="id">: copies what stands in the input with that id, and marks it for those whose browser will not.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  const input = button && document.getElementById(button.dataset.copy);
  if (!input) return;
  input.select();
  navigator.clipboard?.writeText(input.value).then(() => {
    if (button.dataset.done) button.textContent = button.dataset.done;
  }, () => {});
});
