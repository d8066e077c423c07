// The questionnaire page: steps without reloading, every answer saved as it is given and kept on the device until it is.
//
// Without this script every button is a form post and the page works all the same. On a shared device (form.dataset.shared)
// answers and key stay in memory, the steps leave no trail in the browser's history, and ten idle minutes forget the respondent.

import { deleteAnswers } from "./deleting.js";
import { Draft, flat } from "./draft.js";
import { PAGE, handleIn, pagesOf } from "./names.js";
import { keepOtherLanguage, keepPage } from "./offline.js";
import { lock } from "./parcels.js";
import { Sender } from "./sender.js";
import * as show from "./show.js";
import * as store from "./store.js";

const { texts, sections } = show;
const IDLE = 10 * 60 * 1000;

export async function questionnaire(form) {
  const { version, language, shared } = form.dataset;
  if (shared) document.cookie = `moment=; Max-Age=0; Path=${location.pathname}`; // the key is here now, and nowhere else
  const eligible = form.dataset.eligible.split(" ");
  const safe = window.isSecureContext; // else no service worker: the page is gone when it is closed
  const state = JSON.parse(document.getElementById("state").textContent);
  const fromDevice = state.sequence === undefined;
  const handle = handleIn(location.pathname);
  if (!fromDevice) keepPage(form); // before anything of the respondent is shown
  const meanwhile = new Map(); // what is answered while the device looks for its draft
  const answeredEarly = ({ target }) => target.closest("fieldset") && meanwhile.set(target.name, show.valueOf(target));
  form.addEventListener("input", answeredEarly);
  show.answers(flat(state));
  const start = place();
  if (start.n > 1 || start.target) show.step(start.n, start.target);
  const several = []; // drafts on this device, where the address does not say which
  const draft = shared ? fresh() : await restored();
  form.removeEventListener("input", answeredEarly);
  if (!draft) return show.nothing((await store.allParcels()).length, several);
  for (const [code, value] of meanwhile) draft.set(code, value);
  let isKept = !shared;
  let otherLanguage = null; // a promise: whether the page in the other language is on the device too

  function fresh() {
    const key = form.elements.key.value;
    if (!key) return null;
    const { sequence, until, collection } = state;
    const team = document.getElementById("team").textContent;
    return new Draft({ key, handle, team, version, collection, language, until, sequence, base: flat(state) });
  }

  // The page as the server sent it, with what this device kept and the server does not have yet; or, where the page comes
  // from the device, the draft of this address; elsewhere the only one of this questionnaire
  async function restored() {
    const sent = fresh();
    if (sent) {
      const record = await store.kept(sent.key);
      if (!record) return sent;
      const { until, collection, team } = sent;
      const draft = new Draft({ ...record, handle, team, language, until, collection });
      draft.stored(state, draft.base, true);
      return draft;
    }
    const records = (await store.allKept()).filter((one) => one.version === version && one.until > Date.now());
    const known = records.filter((one) => !handle || one.handle === handle);
    if (known.length > 1) several.push(...known.map((one) => [one.handle ? pagesOf(one.handle) : PAGE, one.team || "?"]));
    if (known.length !== 1) return null;
    const [record] = known;
    // another address was asked for, and the addresses in this page are relative to its own
    if (!handle) history.replaceState(null, "", (record.handle ? pagesOf(record.handle) : PAGE) + location.hash);
    form.elements.key.value = record.key;
    show.team(record.team || "");
    return new Draft({ ...record, language });
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
      otherLanguage ??= keepOtherLanguage(form, draft.key); // not before: the first load stays small
    },
    failed() {
      show.waiting(draft.handingIn);
      if (!isKept) return show.unsaved(draft.handingIn ? texts.unsent : texts.offline);
      const message = draft.handingIn ? texts.keptWhole : texts.keptHere;
      return show.keptHere(`${message} ${safe ? texts.mayClose : texts.stayOpen}`);
    },
    refused: () => end(texts.refused),
    other: () => end(texts.refused),
    gone: () => store.erase(draft.key).then(() => end(texts.gone)),
    submitted: () => store.erase(draft.key).then(() => location.replace("done")),
  };
  const sender = new Sender(draft, hooks, { credentials: shared ? "same-origin" : "omit" });

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
      sender.ended = true; // nothing is sent after it
      const outcome = await deleteAnswers(button.formAction, draft.key);
      if (outcome) return location.replace(button.formAction + (outcome === "deleted" ? "" : "?nothing"));
      sender.ended = false;
      show.unsaved(texts.noDelete);
      return sender.waiting && sender.soon();
    },
    // On a shared device: what is answered is saved if it can be, and forgotten here
    async person() {
      await Promise.race([sender.now(), new Promise((go) => setTimeout(go, 3000))]);
      sender.ended = true;
      await forget("next");
    },
  };

  async function switchLanguage(button) {
    await sender.now();
    // answers that are nowhere but on this page would be lost with it: rather stay
    const offline = sender.failures || !navigator.onLine;
    if (offline && (!isKept || !(fromDevice || (await otherLanguage)))) return show.keptHere(texts.language);
    if (offline) return location.assign(`?language=${button.value}#s${show.current()}`);
    sender.ended = true;
    return reopen(button.value);
  }

  // The page anew by its key, which perhaps no cookie has: a shared device keeps none
  function reopen(language) {
    const again = document.createElement("form");
    Object.assign(again, { method: "post", action: `${location.pathname}#s${show.current()}`, hidden: true });
    for (const [name, value] of Object.entries({ key: draft.key, language })) {
      again.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(again);
    again.submit();
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
    event.preventDefault();
    if (!button || button.classList.contains("unseen")) return; // Enter in a question goes nowhere
    if (button.name === "language") switchLanguage(button);
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
    if (sender.ended) return;
    // a shared device has no way back to what was answered on a page that is closed or loaded again
    if (shared ? Object.keys(draft.now).length : draft.changed && sender.failures && !isKept) event.preventDefault();
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
  if (answer?.redirected) location.replace(answer.url); // ours leads to the welcome page; a filter's page leads nowhere
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
