// The editor of questionnaires: Alt with an arrow moves the line in which the focus is. The buttons do the same without it.

const arrows = { ArrowUp: "up", ArrowDown: "down" };
const presses = []; // that wait until the page of the press before them is there: each counts
let busy = false;
let moved = ""; // the line that was moved last: while its page comes the focus is nowhere

document.addEventListener("keydown", (event) => {
  const way = event.altKey && arrows[event.key];
  if (!way) return;
  const place = event.target.closest(".editor-part")?.id ?? (busy ? moved : "");
  if (!place || (!busy && !buttonOf(place, way))) return;
  event.preventDefault();
  moved = place;
  presses.push([place, way]);
  press();
});

const buttonOf = (place, way) => document.getElementById(`${way}-${place}`);

function press() {
  if (busy || !presses.length) return;
  const button = buttonOf(...presses.shift());
  if (!button) return void (presses.length = 0);
  button.focus(); // the page that comes keeps the focus on the element with this id
  button.click();
}

document.addEventListener("htmx:beforeRequest", () => {
  busy = true;
});

document.addEventListener("htmx:afterSettle", () => {
  busy = false;
  press();
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout", "htmx:swapError"]) {
  document.addEventListener(name, () => {
    busy = false;
    presses.length = 0; // said on the page (static/js/app.js)
  });
}

// What was said when the page was loaded is over once a part of it is exchanged
document.addEventListener("htmx:afterSwap", () => {
  for (const old of document.querySelectorAll("#content > [role=status]")) old.remove();
});
