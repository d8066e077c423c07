// The script of all pages under /a/: one file, so that the welcome page brings it and the questionnaire finds it there.

import { questionnaire } from "./questionnaire.js";
import { waiting } from "./waiting.js";

const form = document.getElementById("q");
if (form) questionnaire(form);
else waiting(document.querySelector("main"));

// A page out of the browser's memory could show the respondent before: ask the server again
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
