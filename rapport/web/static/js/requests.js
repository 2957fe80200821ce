// Requests of htmx that bring no answer: one that a newer one replaced (hx-sync) is no error, and whoever sent something hears that it
// did not arrive (data-unreached of #toasts).
const box = document.getElementById("toasts");

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const ask = ctx.fetch;
  ctx.fetch = async (...request) => {
    try {
      return await ask(...request);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      return new Response(null, { status: 204 });
    }
  };
});

document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
  if (!(error instanceof TypeError) || !box || ctx?.response || ctx?.request?.method === "GET") return;
  document.dispatchEvent(new CustomEvent("crm:toast", { detail: { text: box.dataset.unreached, tone: "bad" } }));
});
