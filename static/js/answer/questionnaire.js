// The questionnaire page: steps without reloading, every answer saved as it is given and kept on the device until it is.
//
// Without this script every button is a form post and the page works all the same. On a shared device (form.dataset.shared)
// answers stay in memory, the steps leave no trail in the browser's history, and ten idle minutes forget the respondent.

import { Draft, flat } from "./draft.js";
import { PAGE } from "./names.js";
import { keepOtherLanguage, keepPage } from "./offline.js";
import { lock } from "./parcels.js";
import { Sender } from "./sender.js";
import * as show from "./show.js";
import * as store from "./store.js";

const { texts, sections } = show;
const IDLE = 10 * 60 * 1000;

export async function questionnaire(form) {
  const { save, submit, done, version, language, shared, next } = form.dataset;
  const eligible = form.dataset.eligible.split(" ");
  const safe = window.isSecureContext; // else no service worker: the page is gone when it is closed
  const state = JSON.parse(document.getElementById("state").textContent);
  const fromDevice = state.sequence === undefined;
  if (!fromDevice) keepPage(form); // before anything of the respondent is shown
  const meanwhile = new Map(); // what is answered while the device looks for its draft
  const answeredEarly = ({ target }) => target.closest("fieldset") && meanwhile.set(target.name, show.valueOf(target));
  form.addEventListener("input", answeredEarly);
  show.answers(flat(state));
  const start = place();
  if (start.n > 1 || start.target) show.step(start.n, start.target);
  const draft = shared ? fresh() : await restored();
  form.removeEventListener("input", answeredEarly);
  if (!draft) return show.nothing((await store.allParcels()).length);
  for (const [code, value] of meanwhile) draft.set(code, value);
  let isKept = !shared;
  let otherLanguage = null; // a promise: whether the page in the other language is on the device too

  function fresh() {
    const key = form.elements.key.value;
    if (!key) return null;
    const { sequence, until, collection } = state;
    return new Draft({ key, version, collection, language, until, sequence, base: flat(state) });
  }

  // The page as the server sent it, with what this device kept and the server does not have yet; or, where the page comes
  // from the device, the draft of this questionnaire that was last worked on
  async function restored() {
    const sent = fresh();
    if (sent) {
      const record = await store.kept(sent.key);
      if (!record) return sent;
      const draft = new Draft({ ...record, language, until: sent.until, collection: sent.collection });
      draft.stored(state, draft.base, true);
      return draft;
    }
    const records = (await store.allKept()).filter((one) => one.version === version && one.until > Date.now());
    const [latest] = records.sort((one, other) => other.touched - one.touched);
    if (!latest) return null;
    if (location.pathname !== PAGE) history.replaceState(null, "", PAGE); // another address was asked for
    form.elements.key.value = latest.key;
    return new Draft({ ...latest, language });
  }

  async function keep() {
    isKept = !shared && (await store.keep(draft.record()));
    if (sender.failures) hooks.failed();
  }

  const hooks = {
    sending: show.saving,
    stored() {
      show.answers(draft.now);
      if (!draft.changed) show.saved();
      if (!shared) store.keep(draft.record());
      otherLanguage ??= keepOtherLanguage(form); // not before: the first load stays small
    },
    failed() {
      show.waiting(draft.handingIn);
      if (!isKept) return show.unsaved(draft.handingIn ? texts.unsent : texts.offline);
      const message = draft.handingIn ? texts.keptWhole : texts.keptHere;
      return show.keptHere(`${message} ${safe ? texts.mayClose : texts.stayOpen}`);
    },
    refused: () => end(texts.refused),
    gone: () => store.erase(draft.key).then(() => end(texts.gone)),
    submitted: () => store.erase(draft.key).then(() => location.replace(done)),
  };
  const sender = new Sender(draft, hooks, { save, submit, credentials: shared ? "same-origin" : "omit" });

  function end(message) {
    draft.handingIn = false;
    show.waiting(false);
    show.unsaved(message);
  }

  // -------------------------------------------------------------------------------------------- what the respondent does

  // The step that the address names: #s3, or #i-GV1 for a question
  function place() {
    const target = document.getElementById(location.hash.slice(1));
    const section = target && target.closest(".step");
    return section ? { n: sections.indexOf(section) + 1, target: target === section ? null : target } : { n: 1 };
  }

  const trail = shared ? "replaceState" : "pushState";

  function go(n) {
    sender.now();
    history[trail](null, "", `#s${n}`);
    show.step(n);
  }

  async function handIn() {
    draft.handingIn = true;
    await keep();
    await sender.now();
    if (sender.ended || !shared || !sender.failures) return;
    if (!(await lock(draft, state))) return;
    // locked and kept: this person is done, and this page forgets what was said
    sender.ended = true;
    clearTimeout(sender.timer);
    leave(texts.parcel);
  }

  function leave(message) {
    draft.now = draft.base = {};
    form.elements.key.value = "";
    show.answers({});
    for (const part of form.querySelectorAll(".step, .below .delete, .below [name=language]")) part.hidden = true;
    show.keptHere(message);
    document.getElementById("trouble").scrollIntoView();
  }

  const moves = {
    back: () => go(Math.max(show.current() - 1, 1)),
    next() {
      if (!show.sound(sections[show.current() - 1])) return null;
      const answer = draft.now.eligibility;
      const first = answer && !eligible.includes(answer);
      if (first && sections[show.current() - 1].dataset.kind === "eligibility") return handIn();
      return go(Math.min(show.current() + 1, sections.length));
    },
    submit: handIn,
    async delete(button) {
      sender.ended = true;
      await store.erase(draft.key);
      form.requestSubmit(button);
    },
    // On a shared device: what is answered is saved if it can be, and forgotten here
    async person() {
      await Promise.race([sender.now(), new Promise((go) => setTimeout(go, 3000))]);
      sender.ended = true;
      await forget(next);
    },
  };

  async function switchLanguage(button) {
    await sender.now();
    // answers that are nowhere but on this page would be lost with it: rather stay
    const offline = sender.failures || !navigator.onLine;
    if (offline && (!isKept || !(fromDevice || (await otherLanguage)))) return show.keptHere(texts.language);
    return location[shared ? "replace" : "assign"](`?language=${button.value}#s${show.current()}`);
  }

  function changed(event) {
    if (!event.target.closest("fieldset")) return;
    draft.set(event.target.name, show.valueOf(event.target));
    keep();
    sender.soon();
  }
  form.addEventListener("change", changed);
  form.addEventListener("input", (event) => {
    if (event.target.matches("textarea, input:not([type=radio], [type=checkbox])")) changed(event);
  });

  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && button.value === "delete" && sender.ended) return; // erased here, now from the server
    event.preventDefault();
    if (!button || button.classList.contains("unseen")) return; // Enter in a question goes nowhere
    if (button.value === "delete" && !navigator.onLine) show.unsaved(texts.noDelete);
    else if (button.name === "language") switchLanguage(button);
    else moves[button.value](button);
  });

  // A statement left open: go there ourselves, since the browser takes the focus away when it follows a link in the page
  form.addEventListener("click", (event) => {
    const link = event.target.closest(".open a");
    if (!link) return;
    event.preventDefault();
    history[trail](null, "", link.hash);
    const { n, target } = place();
    show.step(n, target);
  });

  window.addEventListener("popstate", () => {
    const { n, target } = place();
    if (n !== show.current() || target) show.step(n, target);
  });
  window.addEventListener("online", () => {
    if (sender.waiting || sender.ended) return sender.now();
    sender.failures = 0;
    return show.saved();
  });
  document.addEventListener("visibilitychange", () => sender.now());
  window.addEventListener("beforeunload", (event) => {
    if (draft.changed && !sender.ended && sender.failures && !isKept) event.preventDefault();
  });
  if (shared) whenIdle(() => moves.person());

  show.answers(draft.now);
  if (meanwhile.size) keep();
  if (show.current() === sections.length) show.step(sections.length); // what is still open is known only now
  if (fromDevice) {
    sender.failures = 1; // say so until the server is heard
    hooks.failed();
  }
  sender.now();
}

// Forget the respondent of a shared device, and show the welcome page in this page's place
export async function forget(address) {
  const answer = await fetch(address, { method: "POST", redirect: "follow" }).catch(() => null);
  if (answer) location.replace(answer.url);
  else location.reload();
}

export function whenIdle(act) {
  let timer = 0;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(act, IDLE);
  };
  for (const name of ["pointerdown", "keydown", "scroll", "input"]) window.addEventListener(name, again, { passive: true });
  again();
}
