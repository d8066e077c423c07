// The arrow keys go through the pages of the team talk; while somebody writes, they move the cursor as always.
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], .table-responsive")) return;
  const direction = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const way = direction && document.querySelector(`[data-go="${direction}"]`);
  if (!way) return;
  event.preventDefault();
  way.click();
});
