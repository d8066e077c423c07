// The other pages under /a/: what an earlier visit could not send is sent now, and whoever began finds the way back.

import { Draft } from "./draft.js";
import { sendParcels } from "./parcels.js";
import { forget, whenIdle } from "./questionnaire.js";
import { Sender } from "./sender.js";
import * as store from "./store.js";

export function waiting(page) {
  const { save, submit, shared, next, collection } = page.dataset;
  let sending = null;

  async function send() {
    sending ??= Promise.all([sendDrafts(), sendParcels(submit)]).finally(() => {
      sending = null;
    });
    const [drafts, parcels] = await sending;
    tell(drafts + parcels);
  }

  // How many were handed in here and are still not sent
  async function sendDrafts() {
    let left = 0;
    for (const record of await store.allKept()) {
      const draft = new Draft(record);
      const { key } = draft;
      const erase = () => store.erase(key);
      const keep = () => store.keep(draft.record());
      const hooks = { sending() {}, failed() {}, stored: keep, refused: erase, gone: erase, submitted: erase };
      const sender = new Sender(draft, hooks, { save, submit, credentials: "omit", once: true });
      sender.failures = 1; // its answers are late
      if (sender.waiting) await sender.now();
      if (sender.ended) continue;
      if (draft.until && draft.until < Date.now()) await erase();
      else if (draft.handingIn) left += 1;
      else if (collection && draft.collection === collection) wayBack(key);
    }
    return left;
  }

  function wayBack(key) {
    const note = document.getElementById("begun");
    if (!note) return;
    note.querySelector("[name=key]").value = key;
    note.hidden = false;
  }

  const line = document.getElementById("kept");
  const words = line.textContent;
  function tell(n) {
    line.textContent = words.replace("{n}", n);
    line.hidden = !n;
  }

  if (shared) {
    whenIdle(() => forget(next));
    for (const form of document.querySelectorAll("form.next")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        forget(next);
      });
    }
  }
  window.addEventListener("online", send);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send());
  send();
}
