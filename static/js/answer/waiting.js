// The other pages under /a/: what an earlier visit could not send is sent now, and whoever began finds the way back.

import { Draft } from "./draft.js";
import { ROOT, handleIn, pagesOf } from "./names.js";
import { sendParcels } from "./parcels.js";
import { forget, whenIdle } from "./questionnaire.js";
import { Sender, post } from "./sender.js";
import * as store from "./store.js";

export function waiting(page) {
  const { shared, next, collection } = page.dataset;
  const here = handleIn(location.pathname);
  let sending = null;

  async function send() {
    sending ??= Promise.all([sendDrafts(), sendParcels(`${ROOT}submit`)]).finally(() => {
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
      const pages = pagesOf(draft.handle);
      const erase = () => store.erase(key);
      const keep = () => store.keep(draft.record());
      const nothing = () => {};
      const ends = { refused: erase, gone: erase, submitted: erase, other: nothing };
      const hooks = { sending: nothing, failed: nothing, stored: keep, ...ends };
      const sender = new Sender(draft, hooks, { pages, credentials: "omit", once: true });
      sender.failures = 1; // its answers are late
      if (sender.waiting) await sender.now();
      else if (await isOver(draft)) sender.end(erase);
      if (sender.ended) continue;
      if (draft.until && draft.until < Date.now()) await erase();
      else if (draft.handingIn) left += 1;
      else if (here ? draft.handle === here : collection && draft.collection === collection) wayBack(draft);
    }
    return left;
  }

  // Whether a draft without anything new was handed in or deleted elsewhere: a save that is repeated changes nothing
  async function isOver(draft) {
    if (!draft.sequence) return false;
    const server = await post(`${pagesOf(draft.handle)}save`, { ...draft.body(), sequence: draft.sequence });
    return ["submitted", "unknown"].includes(server?.outcome);
  }

  function wayBack({ key, handle }) {
    const note = document.getElementById("begun");
    if (!note) return;
    note.action = handle ? pagesOf(handle) : `${ROOT}q`;
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
