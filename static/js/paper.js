// Typing a paper form by keyboard alone: one key answers and goes on, Enter and the arrows move, what is typed is kept.
const form = document.getElementById("typing");
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

form.addEventListener("input", (event) => {
  const field = event.target;
  status.textContent = "";
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

form.addEventListener("htmx:afterRequest", (event) => {
  status.textContent = event.detail.successful ? status.dataset.kept : status.dataset.lost;
});

(fields.find((field) => !field.value) ?? fields[0]).focus();
