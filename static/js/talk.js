// The team talk: one screen at a time, by buttons, keys and clicker. The page holds all screens, so that going on needs no
// network, leaves no full screen, and takes nothing of what was typed with it. Without this script each screen is a page.

const talk = document.querySelector("[data-talk]");
const screens = [...talk.querySelectorAll("[data-screen]")];
const bar = talk.querySelector("[data-bar]");
const place = bar.querySelector("[data-place]");
const open = bar.querySelector("[data-unsaved]");
const buttons = { prev: bar.querySelector("[data-go=prev]"), next: bar.querySelector("[data-go=next]") };
const MOMENT = 1500; // ms that going on waits for the server's word

let now = screens.findIndex((screen) => !screen.hidden);
let going = false;

const formOf = (screen) => screen.querySelector("form[data-autosave]");
const nameOf = (screen) => screen.querySelector("h2").textContent.trim();
const stateOf = (form) => form.querySelector("[data-state]").dataset.state;
const addressOf = (n) => `${talk.dataset.address}?n=${n}`;

// ---------------------------------------------------------------------------------------------- going
async function go(to, { push = true } = {}) {
  if (going || to === now || !screens[to]) return;
  going = true;
  const form = formOf(screens[now]);
  const moment = new Promise((done) => setTimeout(done, MOMENT));
  const outcome = form && (await Promise.race([form.saveNow(), moment]));
  going = false;
  if (["refused", "conflict"].includes(outcome)) {
    form.closest("details").open = true;
    return form.querySelector("[data-two-texts] input, [name]:not([type=hidden])").focus();
  }
  show(to);
  if (push) history.pushState(null, "", addressOf(to));
}

function show(to) {
  screens[now].hidden = true;
  screens[to].hidden = false;
  now = to;
  const [shown, subject] = place.children;
  shown.textContent = place.dataset.words.replace("{n}", to + 1).replace("{last}", screens.length);
  subject.textContent = nameOf(screens[to]);
  // a button that goes nowhere keeps its place in the row; who stood on it stands on the other
  for (const [button, other, ends] of [
    [buttons.prev, buttons.next, to === 0],
    [buttons.next, buttons.prev, to === screens.length - 1],
  ]) {
    if (ends && button === document.activeElement) other.focus();
    button.classList.toggle("invisible", ends);
  }
  scrollTo(0, 0);
  formOf(screens[to])?.saveNow({ ask: true });
  if (to === screens.length - 1) agreed();
  tellWhatIsOpen();
}

for (const [direction, button] of Object.entries(buttons)) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    go(now + (direction === "next" ? 1 : -1));
  });
}

addEventListener("popstate", () => {
  const asked = Number(new URLSearchParams(location.search).get("n") ?? 0);
  go(asked, { push: false }).then(() => asked !== now && history.replaceState(null, "", addressOf(now)));
});

// ---------------------------------------------------------------------------------------------- keys
// Arrows, and PageUp and PageDown as a clicker sends them. While somebody writes they move the cursor as always; where a
// page is higher than its window, PageUp and PageDown go through it first.
const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -1, PageDown: 1 };

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  if (event.key === "Escape") return closeDrawer();
  const step = KEYS[event.key];
  if (!step || event.target.closest("input, textarea, select, [contenteditable], .table-responsive")) return;
  if (event.key.startsWith("Page") && scrollsOn(step)) return;
  event.preventDefault();
  go(now + step);
});

function scrollsOn(step) {
  const page = document.scrollingElement;
  const drawer = screens[now].querySelector("details.over[open]");
  return [page, drawer].some(
    (one) => one && (step < 0 ? one.scrollTop > 1 : one.scrollTop + one.clientHeight < one.scrollHeight - 1),
  );
}

function closeDrawer() {
  const drawer = screens[now].querySelector("details[open]");
  if (!drawer) return;
  drawer.open = false;
  drawer.querySelector("summary").focus();
}

// ---------------------------------------------------------------------------------------------- full screen
const whole = bar.querySelector("[data-full]");
if (document.fullscreenEnabled) {
  whole.hidden = false;
  whole.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
  document.addEventListener("fullscreenchange", () => {
    const { enter, leave } = whole.dataset;
    whole.textContent = document.fullscreenElement ? leave : enter;
  });
}

// ---------------------------------------------------------------------------------------------- one question at a time
for (const list of talk.querySelectorAll("[data-questions]")) {
  const questions = [...list.children];
  const another = list.parentElement.querySelector("[data-another]");
  if (questions.length < 2) continue;
  let shown = 0;
  const turn = (to) => {
    shown = to % questions.length;
    for (const [n, question] of questions.entries()) question.hidden = n !== shown;
    another.textContent = another.dataset.words.replace("{n}", shown + 1).replace("{last}", questions.length);
  };
  another.addEventListener("click", () => turn(shown + 1));
  another.hidden = false;
  turn(0);
}

// ---------------------------------------------------------------------------------------------- what was written down
// Of a subject that is not on the screen: that its text is not saved yet
function tellWhatIsOpen() {
  const unsaved = screens.filter((screen, n) => {
    const form = n !== now && formOf(screen);
    return form && ["failed", "out", "refused", "conflict", "saving"].includes(stateOf(form));
  });
  const words = unsaved.length ? open.dataset.words.replace("{subjects}", unsaved.map(nameOf).join(", ")) : "";
  if (open.textContent !== words) open.textContent = words;
}

document.addEventListener("autosave", tellWhatIsOpen);

// The last screen holds what everybody wrote; without a network what stands in the forms of this page
async function agreed() {
  const last = screens.at(-1);
  fillIn(last);
  const unsaved = screens.map(formOf).some((form) => form && !["", "saved"].includes(stateOf(form)));
  if (unsaved) return;
  try {
    const answer = await fetch(addressOf(screens.length - 1), { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-agreed]");
    if (fresh) last.querySelector("[data-agreed]").replaceWith(fresh);
  } catch {
    // it stands there as it is known here
  }
}

function fillIn(last) {
  const decimal = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  for (const row of last.querySelectorAll("tr[data-of]")) {
    const form = formOf(screens[row.dataset.of]);
    if (!form) continue;
    const [target, steps] = ["target", "next_steps"].map((name) => form.elements[name].value.trim());
    row.querySelector("[data-target]").textContent = target ? Number(target).toLocaleString(document.documentElement.lang, decimal) : "–";
    row.querySelector("[data-steps]").textContent = steps || "–";
    if (target || steps) last.querySelector("[data-nothing]")?.setAttribute("hidden", "");
  }
}
