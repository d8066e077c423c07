// The editor of questionnaires: Alt with an arrow moves the line in which the focus is. The buttons do the same without it.

const arrows = { ArrowUp: "up", ArrowDown: "down" };

document.addEventListener("keydown", (event) => {
  const move = event.altKey && arrows[event.key];
  const part = move && event.target.closest(".editor-part");
  const button = part && part.querySelector(`[data-move=${move}]`);
  if (!button) return;
  event.preventDefault();
  button.focus(); // the page that comes keeps the focus on the element with this id
  button.click();
});

// What was said when the page was loaded is over once a part of it is exchanged
document.addEventListener("htmx:afterSwap", () => {
  for (const old of document.querySelectorAll("#content > [role=status]")) old.remove();
});
