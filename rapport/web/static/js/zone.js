// <input type="hidden" data-time-zone>: tells the server in which time zone this browser is.
for (const input of document.querySelectorAll("[data-time-zone]")) {
  input.value = new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
