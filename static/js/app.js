// Small behaviours of the signed-in pages. Everything works without them.

// Ask before what cannot be undone: <form data-confirm="…">
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Copy a link or code: <button data-copy="…">
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || !navigator.clipboard) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.copied || button.textContent;
});

// Counts that ask the server again and again say so when it does not answer: <p data-stale><span hidden>…</span></p>
const stale = document.querySelector("[data-stale] span");
if (stale) {
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, () => {
      stale.hidden = false;
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => {
    stale.hidden = true;
  });
}
