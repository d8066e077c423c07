// How many teachers: from fewer than k on, the sentence below the field says it louder, while somebody types.
const words = document.getElementById("few");
const field = document.querySelector("[name=approached]");
const text = words.textContent;

function look() {
  const few = field.value !== "" && Number(field.value) < Number(words.dataset.few);
  if (few === words.classList.contains("alert")) return;
  words.className = few ? "alert alert-warning" : "form-text";
  if (few) words.textContent = text; // written anew, so that it is read out
}

field.addEventListener("input", look);
look();
