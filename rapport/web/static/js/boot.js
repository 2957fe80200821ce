// Runs before the first paint, so that no page flashes in the wrong theme. A plain script, not a module: modules come too late.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // storage may be closed: the system's theme is fine
}
