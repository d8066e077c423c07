// What is seen of the questionnaire: its steps, the chosen answers, and the truth about what is saved.

const form = document.getElementById("q");
const state = document.getElementById("saved");
const trouble = document.getElementById("trouble");

export const texts = document.getElementById("texts")?.dataset;
export const sections = form ? [...form.querySelectorAll(".step")] : [];

const controls = () => form.querySelectorAll("fieldset :is(input, select, textarea)");

export const current = () => sections.findIndex((section) => section.classList.contains("now")) + 1;

export function saving() {
  if (!state.classList.contains("is-trouble")) state.textContent = texts.saving;
}

export function saved() {
  state.textContent = texts.saved;
  state.className = "saved";
  trouble.hidden = true;
}

// Kept on the device: nothing is lost, so this is no alarm
export function keptHere(message) {
  say(texts.kept, "saved is-kept", "note", message);
}

export function unsaved(message) {
  say(texts.unsaved, "saved is-trouble", "problem", message);
}

function say(word, classes, box, message) {
  state.textContent = word;
  state.className = classes;
  if (trouble.textContent !== message || trouble.className !== box) {
    trouble.className = box;
    trouble.textContent = message;
  }
  trouble.hidden = false;
}

export function waiting(handingIn) {
  for (const button of form.querySelectorAll("[value=submit]")) button.disabled = handingIn;
}

// About which team, where the page comes from the device
export function team(name) {
  document.getElementById("team").textContent = name;
}

// The value of a control as it is stored: numbers for statements and for fields of numbers, else the text. What is no
// answer (a number out of bounds) is none: the server would refuse it
export function valueOf(control) {
  if (control.type === "checkbox") return control.checked ? control.value : "";
  if (!control.checkValidity()) return "";
  if (control.type === "number") return control.valueAsNumber;
  const value = control.value.trim();
  return control.closest(".scale") && /^\d+$/.test(value) ? Number(value) : value;
}

// Where something was typed that is no answer, say so in the browser's own words. Whether all is well
export function sound(section) {
  const wrong = [...section.querySelectorAll("input, select, textarea")].find((control) => !control.checkValidity());
  return !wrong || wrong.reportValidity();
}

export function answers(now) {
  for (const control of controls()) {
    const value = now[control.name];
    if (["radio", "checkbox"].includes(control.type)) control.checked = String(value) === control.value;
    else if (control !== document.activeElement && control.checkValidity()) control.value = value ?? "";
  }
}

const answered = (field) =>
  field.querySelector(":checked") ||
  [...field.querySelectorAll("input:not([type=radio], [type=checkbox]), select, textarea")].some((one) => one.value);

// The statements without an answer, each a link to its place
function open() {
  const box = sections.at(-1).querySelector(".open");
  const list = box.querySelector("ul");
  list.replaceChildren();
  for (const section of sections.filter((one) => one.dataset.kind === "scale")) {
    for (const field of section.querySelectorAll("fieldset")) {
      if (answered(field)) continue;
      const link = document.createElement("a");
      link.href = `#${field.id}`;
      link.textContent = field.querySelector("legend").textContent;
      const entry = document.createElement("li");
      entry.append(link);
      list.append(entry);
    }
  }
  box.hidden = !list.childElementCount;
}

// Step n, from 1; with `target` a question of it
export function step(n, target) {
  const section = sections[n - 1];
  for (const one of sections) one.classList.toggle("now", one === section);
  form.elements.step.value = n;
  document.getElementById("progress").value = n;
  document.getElementById("where").textContent = texts.where.replace("{n}", n).replace("{m}", sections.length);
  if (n === sections.length) open();
  if (target) {
    target.scrollIntoView();
    (target.querySelector(":checked") || target.querySelector("input, select, textarea")).focus({
      preventScroll: true,
    });
  } else {
    window.scrollTo(0, 0);
    section.querySelector("h2").focus({ preventScroll: true });
  }
}

// Instead of the questions: nothing of them is on this device, or more than one questionnaire, each with an address
export function nothing(n, several = []) {
  const section = document.getElementById("offline");
  section.querySelector(".none").hidden = several.length;
  for (const part of section.querySelectorAll(".several")) part.hidden = !several.length;
  for (const [address, name] of several) {
    const link = document.createElement("a");
    Object.assign(link, { href: address, textContent: name });
    const entry = document.createElement("li");
    entry.append(link);
    section.querySelector("ul").append(entry);
  }
  form.querySelector(".bar").hidden = true;
  for (const part of form.querySelectorAll(".step, .below, #trouble")) part.hidden = true;
  if (n) {
    const line = section.querySelector(".kept");
    line.textContent = line.textContent.replace("{n}", n);
    line.hidden = false;
  }
  section.hidden = false;
}
