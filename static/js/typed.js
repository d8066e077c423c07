// What somebody typed into a form is kept by this tab (sessionStorage) until the server has taken it: over a sign-in, another
// language, an error, a lost line. Nobody else sees it: it is forgotten at signing out and when somebody else signs in here.
//
// Kept is what was changed, of every form that is posted. Not of passwords, files and mailed codes, nor within
// [data-typed~=off]. The server says that it took a form by a cookie that names the form's mark (teams/base/typed.py).

const DAY = 24 * 3600 * 1000;
const PREFIX = "typed:";
const body = document.body;
const who = body.dataset.person || "";
const texts = document.getElementById("typed-texts").dataset;
const TEXT = ["text", "email", "number", "date", "time", "datetime-local", "month", "url", "tel", "search", "textarea"];
const LONG = 6; // fields from which on a form says that it is kept

function stored(act) {
  try {
    return act(sessionStorage);
  } catch {
    return undefined; // a browser that keeps nothing
  }
}

function entries() {
  const found = stored((store) => Object.keys(store).filter((key) => key.startsWith(PREFIX))) ?? [];
  return found.map((key) => [key, read(key)]);
}

const read = (key) => stored((store) => JSON.parse(store.getItem(key)));
const erase = (key) => stored((store) => store.removeItem(key));
const forgetAll = () => entries().forEach(([key]) => erase(key));

// ---------------------------------------------------------------------------------------------- forms and their fields
const isHidden = (field) => field.type === "hidden";
// how a form looked when it was opened (teams/forms/filled.py, surveys/questionnaires/drafts.py)
const LOOKED = "[name=opened], [name$='-opened'], [name=seen]";
const opened = (form) => [...form.elements].filter((field) => isHidden(field) && field.matches(LOOKED));

function isKept(form) {
  return form.getAttribute("method") === "post" && !form.closest("[data-typed~=off]") && fieldsOf(form).length > 0;
}

function fieldsOf(form) {
  return [...form.elements].filter(
    (field) =>
      field.name &&
      // "take": which of two texts stays, asked by one page only
      !field.matches("[autocomplete=one-time-code], [data-typed~=off], [name=take], [name$='-take']") &&
      (TEXT.includes(field.type) || ["checkbox", "radio", "select-one", "select-multiple"].includes(field.type)),
  );
}

// Which form this is, on whatever page it stands: its address, id, fields, and the place among others that are alike
function keyOf(form) {
  const of = (one) => {
    const { pathname, search } = new URL(one.getAttribute("action") || location.href, location.href);
    const names = [...new Set(fieldsOf(one).map((field) => field.name))].sort().join(",");
    return `${PREFIX}${who}|${pathname}${search}|${one.getAttribute("id") ?? ""}|${names}`;
  };
  const key = of(form);
  return `${key}|${[...document.forms].filter((one) => isKept(one) && of(one) === key).indexOf(form)}`;
}

function slots(form) {
  const seen = {};
  return fieldsOf(form).map((field) => {
    const one = ["checkbox", "radio"].includes(field.type) ? `${field.name}=${field.value}` : field.name;
    seen[one] = (seen[one] ?? -1) + 1;
    return [`${one}#${seen[one]}`, field];
  });
}

function valueOf(field, first = false) {
  if (["checkbox", "radio"].includes(field.type)) return first ? field.defaultChecked : field.checked;
  if (!field.options) return first ? field.defaultValue : field.value;
  const chosen = [...field.options].filter((option) => (first ? option.defaultSelected : option.selected));
  if (!chosen.length && first && !field.multiple) return field.options[0]?.value ?? "";
  return chosen.map((option) => option.value).join("\n");
}

function put(field, value) {
  if (["checkbox", "radio"].includes(field.type)) field.checked = value;
  else if (!field.options) field.value = value;
  else for (const option of field.options) option.selected = value.split("\n").includes(option.value);
}

// The server wrote what was typed into a form that it shows again with its errors: all of it counts as typed
function changed(form) {
  const again = form.querySelector(".is-invalid, [data-errors]");
  return slots(form).filter(([, field]) => again || valueOf(field) !== valueOf(field, true));
}

// ---------------------------------------------------------------------------------------------- keeping
function mark(form) {
  let field = form.querySelector(":scope > [name=typed]");
  if (!field) {
    field = Object.assign(document.createElement("input"), { type: "hidden", name: "typed" });
    form.prepend(field);
  }
  const number = crypto.getRandomValues(new Uint32Array(2)).reduce((text, part) => text + part.toString(36), "");
  form.dataset.mark = number;
  field.value = `${who}.${number}`;
}

function keep(form) {
  harvest();
  const typed = changed(form);
  const key = keyOf(form);
  if (!typed.length) return erase(key) ?? say(form, "");
  const kept = stored((store) => {
    const seen = opened(form).map((field) => [field.name, field.value]);
    const fields = Object.fromEntries(typed.map(([slot, field]) => [slot, valueOf(field)]));
    const page = location.pathname + location.search;
    store.setItem(key, JSON.stringify({ fields, seen, page, at: Date.now(), mark: form.dataset.mark }));
    return true;
  });
  return say(form, kept ? texts.kept : texts.lost);
}

// Said once, not at every key: how what was typed stands. A form that saves itself says so by itself.
function say(form, words) {
  if (form.matches("[data-autosave]")) return;
  if (!form.querySelector("textarea") && fieldsOf(form).length < LONG && words !== texts.lost) return;
  let line = form.querySelector(".typed-state");
  if (!line) {
    line = Object.assign(document.createElement("p"), { className: "typed-state" });
    line.setAttribute("role", "status");
    form.append(line);
  }
  if (line.textContent !== words) line.textContent = words;
}

// What the server says that it took
function harvest() {
  for (const [, number] of document.cookie.matchAll(/(?:^|; )typed-([a-z0-9]+)=/g)) {
    const mine = entries().filter(([, entry]) => entry?.mark === number);
    const form = [...document.forms].find((one) => one.dataset.mark === number);
    if (!mine.length && !form) continue; // of another tab
    for (const [key] of mine) erase(key);
    if (form) mark(form);
    document.cookie = `typed-${number}=; path=/; max-age=0; samesite=lax`;
  }
}

// ---------------------------------------------------------------------------------------------- giving back
function clock(at) {
  const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Date(at).toLocaleTimeString(document.documentElement.lang, form);
}

function note(words, ...children) {
  const line = Object.assign(document.createElement("p"), { className: "alert alert-info typed-note", textContent: words });
  line.setAttribute("role", "status");
  line.append(" ", ...children);
  return line;
}

function restore(form) {
  const key = keyOf(form);
  const entry = read(key);
  if (!entry) return;
  const bare = (value) => (typeof value === "string" ? value.trim() : value);
  const isOther = ([slot, field]) => slot in entry.fields && bare(valueOf(field)) !== bare(entry.fields[slot]);
  const different = slots(form).filter(isOther);
  if (!different.length) return;
  const before = different.map(([, field]) => [field, valueOf(field)]);
  const looked = opened(form).map((field) => [field, field.value]);
  for (const [slot, field] of different) put(field, entry.fields[slot]);
  // the form as it was opened: what somebody else changed since is found when it is sent
  for (const [name, value] of entry.seen ?? []) for (const [field] of looked) if (field.name === name) field.value = value;
  const leave = Object.assign(document.createElement("button"), {
    type: "button",
    className: "btn btn-sm btn-outline-primary",
    textContent: texts.leave,
  });
  const line = note(texts.restored.replace("{time}", clock(entry.at)), leave);
  leave.addEventListener("click", () => {
    for (const [field, value] of [...before, ...looked]) put(field, value);
    erase(key);
    say(form, "");
    line.remove();
    before[0][0].focus();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.prepend(line);
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  for (const [field] of before) field.dispatchEvent(new Event("change", { bubbles: true }));
}

function begin(root) {
  harvest();
  const forms = root.matches?.("form") ? [root] : root.querySelectorAll("form");
  for (const form of forms) {
    if (!isKept(form) || form.dataset.mark) continue;
    mark(form);
    restore(form);
  }
}

// On a page that tells of something else (not found, an error, signing in): where that form is which was not taken
function showTheWayBack() {
  const sent = entries().filter(([, entry]) => entry?.sent);
  const [, last] = sent.sort(([, one], [, other]) => one.at - other.at).at(-1) ?? [];
  if (!last || !last.page.startsWith("/") || last.page.startsWith("//")) return;
  const link = Object.assign(document.createElement("a"), { href: last.page, textContent: texts.back });
  document.getElementById("content").prepend(note(texts.waits.replace("{time}", clock(last.at)), link));
}

// ---------------------------------------------------------------------------------------------- when
const before = stored((store) => store.getItem("typing"));
if (who && before && before !== who) forgetAll();
if (who) stored((store) => store.setItem("typing", who));
for (const [key, entry] of entries()) if (!entry || Date.now() - entry.at > DAY) erase(key);
harvest();
for (const form of document.forms) if (isKept(form)) mark(form);

// after the other scripts of the page, which hear of what comes back as if it was typed now
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.forms) if (isKept(form)) restore(form);
  if (body.matches("[data-typed~=show]")) showTheWayBack();
});
document.addEventListener("htmx:load", (event) => begin(event.target));
document.addEventListener("htmx:afterRequest", harvest);

for (const name of ["input", "change", "autosaved"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.form ?? event.target.closest?.("form");
    if (form && isKept(form)) keep(form);
  });
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.matches("[data-forget]")) return forgetAll();
    // another token since somebody signed in in another tab; who that is stands in the form's mark
    const token = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/);
    if (token) for (const field of form.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token[1];
    if (!isKept(form)) return undefined;
    keep(form);
    const key = keyOf(form);
    const entry = read(key);
    return entry && stored((store) => store.setItem(key, JSON.stringify({ ...entry, sent: true })));
  },
  true,
);

// "Cancel": whoever leaves a form by it wants nothing of it
document.addEventListener("click", (event) => {
  const form = event.target.closest?.("[data-leave]")?.closest("form");
  if (form) erase(keyOf(form));
});
