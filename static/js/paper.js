// Typing a paper form by keyboard alone: one key answers and goes on, Enter and the arrows move. What is typed so far is kept
// by this window alone, for a reload, and forgotten once the form is finished: the server never gives back what was typed.
const form = document.getElementById("typing");
const drafts = "paper:";
const draft = drafts + (form ? `${location.pathname}:${form.dataset.draft}` : "");

function stored(act) {
  try {
    return act(sessionStorage);
  } catch {
    return null; // a browser that keeps nothing
  }
}

// a page of typing was reached: every other form is finished, or its window is another one
stored((store) => {
  for (const key of Object.keys(store)) if (key.startsWith(drafts) && key !== draft) store.removeItem(key);
});

function type() {
  const status = document.getElementById("kept");
  const fields = [...form.querySelectorAll(".typing-row input, .typing-row textarea")];

  function go(from, step) {
    const next = fields[fields.indexOf(from) + step];
    if (next) {
      next.focus();
      next.select();
    } else if (step > 0) {
      form.querySelector("button[type=submit]").focus();
    }
  }

  function keep() {
    const typed = Object.fromEntries(fields.filter((field) => field.value).map((field) => [field.name, field.value]));
    const kept = stored((store) => {
      store.setItem(draft, JSON.stringify(typed));
      return true;
    });
    const words = kept ? status.dataset.kept : status.dataset.lost;
    if (status.textContent !== words) status.textContent = words; // said once, not at every key
  }

  form.addEventListener("input", (event) => {
    const field = event.target;
    keep();
    if (!field.dataset.keys || !field.value) return;
    field.value = field.value.toLowerCase();
    const good = field.dataset.keys.includes(field.value);
    field.classList.toggle("is-invalid", !good);
    field.setAttribute("aria-invalid", String(!good));
    if (good) go(field, 1);
    else field.select();
  });

  form.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!fields.includes(field) || event.isComposing) return;
    const written = field.tagName === "TEXTAREA";
    if ((event.key === "Enter" || event.key === "ArrowDown") && !written) go(field, 1);
    else if (event.key === "ArrowUp" && !written) go(field, -1);
    else if (event.key === "Backspace" && !written && !field.value) go(field, -1);
    else return;
    event.preventDefault();
  });

  // nothing of a form is left in a page that the browser keeps for "back"
  addEventListener("pagehide", () => {
    for (const field of fields) field.value = "";
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  const typed = stored((store) => JSON.parse(store.getItem(draft) ?? "{}")) ?? {};
  for (const field of fields) field.value ||= typed[field.name] ?? "";
  (fields.find((field) => !field.value) ?? fields[0]).focus();
}

if (form) type();
