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

// On paper nobody can unfold: what is folded is printed too, and folded again afterwards
const folded = [];
window.addEventListener("beforeprint", () => {
  folded.push(...document.querySelectorAll(".report details:not([open])"));
  for (const one of folded) one.open = true;
});
window.addEventListener("afterprint", () => {
  for (const one of folded.splice(0)) one.open = false;
});

// A form that comes back with errors: where they are named, each with a link to its field
const toErrors = () => document.querySelector("[data-errors]")?.focus();
toErrors();
document.addEventListener("htmx:afterSettle", toErrors);

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

// What somebody asked for by a button or a link and htmx did not get is said in place: the page stays as it was, with what
// was typed, and the same button asks again. After signing in in another tab too: static/js/typed.js takes the new token along.
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, ({ detail }) => {
    if (!detail.requestConfig?.triggeringEvent) return; // a page that asks by itself
    const { out, trouble, signIn, login } = document.getElementById("typed-texts").dataset;
    const line = Object.assign(document.createElement("p"), { className: "alert alert-danger not-done" });
    line.setAttribute("role", "alert");
    const signedOut = detail.xhr?.status === 401;
    line.textContent = signedOut ? out : trouble;
    if (signedOut) {
      const link = Object.assign(document.createElement("a"), { href: login, target: "_blank", textContent: signIn });
      line.append(" ", link);
    }
    forget();
    const form = detail.elt.closest("form") ?? detail.elt;
    (form.closest(".editor-actions") ?? form).before(line);
  });
}
document.addEventListener("htmx:beforeRequest", ({ detail }) => detail.requestConfig?.triggeringEvent && forget());

function forget() {
  for (const line of document.querySelectorAll(".not-done")) line.remove();
}
