// The questionnaire page: steps without reloading, and every answer saved as it is given.
//
// Three parts. `answers` holds what the respondent said and what the server is known to hold; `sender` brings the one to
// the other (at most one request each two seconds and one at each step, again with growing pauses when it fails); the rest
// shows it. What another tab saved meanwhile is merged: the server's answers, overlaid with what was changed here.
// Without this script every button is a form post and the page works all the same.

const form = document.getElementById("q");
const key = form.elements.key.value;
const texts = document.getElementById("texts").dataset;
const sections = [...form.querySelectorAll(".step")];
const eligible = form.dataset.eligible.split(" ");
const PAUSE = 2000;
const LONGEST_PAUSE = 30000;

// ---------------------------------------------------------------------------------------------- the answers

const answers = {
  ...JSON.parse(document.getElementById("state").textContent), // sequence, answers, eligibility: as on the server
  now: {},
  nowEligibility: "",

  begin() {
    this.now = { ...this.answers };
    this.nowEligibility = this.eligibility;
  },
  get changed() {
    const codes = new Set([...Object.keys(this.now), ...Object.keys(this.answers)]);
    return (
      this.nowEligibility !== this.eligibility || [...codes].some((code) => this.now[code] !== this.answers[code])
    );
  },
  set(name, value) {
    if (name === "eligibility") this.nowEligibility = value;
    else this.now[name] = /^\d+$/.test(value) ? Number(value) : value;
  },
  // The server holds this now; what was answered here since stays
  stored(sent, server) {
    const here = { ...this.now };
    const base = sent ? sent.answers : this.answers;
    this.sequence = server.sequence;
    this.answers = server.answers;
    if (this.nowEligibility === (sent ? sent.eligibility : this.eligibility)) this.nowEligibility = server.eligibility;
    this.eligibility = server.eligibility;
    this.now = { ...server.answers };
    for (const [code, value] of Object.entries(here)) if (value !== base[code]) this.now[code] = value;
  },
};

// ---------------------------------------------------------------------------------------------- the sender

const sender = {
  busy: null, // the request under way
  timer: 0,
  lastSent: 0,
  failures: 0,
  handingIn: false,
  ended: false,

  // Save soon: two seconds after the last request at the earliest
  soon() {
    if (this.ended || this.timer) return;
    const wait = Math.max(this.lastSent + PAUSE - Date.now(), this.failures ? this.pause() : PAUSE);
    this.timer = setTimeout(() => this.now(), wait);
  },
  pause() {
    return Math.min(PAUSE * 2 ** this.failures, LONGEST_PAUSE) * (0.75 + Math.random() / 2);
  },
  // Send what there is; one request at a time, so that each builds on the one before
  async now() {
    clearTimeout(this.timer);
    this.timer = 0;
    while (this.busy) {
      await this.busy;
      if (this.timer) return; // it failed and will be tried again
    }
    if (this.ended || !(answers.changed || this.handingIn)) return;
    let again = false;
    this.busy = this.send().then((conflict) => {
      again = conflict;
      this.busy = null;
    });
    await this.busy;
    if (this.ended) return;
    if (again) await this.now();
    else if (this.failures || answers.changed) this.soon();
  },
  // One request. Whether another tab's answers were merged, so that ours must be sent again
  async send() {
    const sent = { answers: { ...answers.now }, eligibility: answers.nowEligibility };
    const handingIn = this.handingIn;
    this.lastSent = Date.now();
    show.saving();
    let status = 0;
    let server = null;
    try {
      const response = await fetch(handingIn ? form.dataset.submit : form.dataset.save, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          key,
          sequence: answers.sequence + 1,
          language: form.dataset.language,
          ...sent,
        }),
        keepalive: true, // goes on when the page is left
        credentials: "omit",
      });
      status = response.status;
      server = await response.json();
    } catch {
      server = null;
    }
    if (status >= 400 && status < 500) return this.end(texts.refused);
    if (!server) {
      this.failures += 1;
      show.unsaved(handingIn ? texts.unsent : texts.offline);
      return false;
    }
    this.failures = 0;
    if (server.outcome === "unknown") return this.end(texts.gone);
    if (server.outcome === "submitted") {
      this.ended = true;
      location.replace(form.dataset.done);
      return false;
    }
    // saved: the server holds what we sent. conflict: it holds another tab's answers, ours go over them in the next round
    answers.stored(server.outcome === "saved" ? sent : null, server);
    show.answers();
    if (!answers.changed) show.saved();
    return server.outcome === "conflict";
  },
  end(message) {
    this.ended = true;
    this.handingIn = false;
    show.unsaved(message);
    return false;
  },
};

// ---------------------------------------------------------------------------------------------- what is seen

const show = {
  state: document.getElementById("saved"),
  trouble: document.getElementById("trouble"),

  saving() {
    if (!this.state.classList.contains("is-trouble")) this.state.textContent = texts.saving;
  },
  saved() {
    this.state.textContent = texts.saved;
    this.state.classList.remove("is-trouble");
    this.trouble.hidden = true;
  },
  unsaved(message) {
    this.state.textContent = texts.unsaved;
    this.state.classList.add("is-trouble");
    if (this.trouble.textContent !== message) this.trouble.textContent = message;
    this.trouble.hidden = false;
    for (const button of form.querySelectorAll("[value=submit]")) button.disabled = sender.handingIn;
  },
  answers() {
    for (const input of form.querySelectorAll("fieldset input")) {
      const value = input.name === "eligibility" ? answers.nowEligibility : answers.now[input.name];
      input.checked = String(value) === input.value;
    }
  },
  // The statements without an answer, each a link to its place
  open() {
    const box = sections.at(-1).querySelector(".open");
    const list = box.querySelector("ul");
    list.replaceChildren();
    for (const section of sections.filter((one) => one.dataset.kind === "scale")) {
      for (const field of section.querySelectorAll("fieldset")) {
        if (field.querySelector(":checked")) continue;
        const link = document.createElement("a");
        link.href = `#${field.id}`;
        link.textContent = field.querySelector("legend").textContent;
        const entry = document.createElement("li");
        entry.append(link);
        list.append(entry);
      }
    }
    box.hidden = !list.childElementCount;
  },
  // Step n, from 1; with `target` a question of it
  step(n, target) {
    const section = sections[n - 1];
    for (const one of sections) one.classList.toggle("now", one === section);
    form.elements.step.value = n;
    document.getElementById("progress").value = n;
    document.getElementById("where").textContent = texts.where.replace("{n}", n).replace("{m}", sections.length);
    if (n === sections.length) this.open();
    if (target) {
      target.scrollIntoView();
      (target.querySelector(":checked") || target.querySelector("input")).focus({ preventScroll: true });
    } else {
      window.scrollTo(0, 0);
      section.querySelector("h2").focus({ preventScroll: true });
    }
  },
};

// ---------------------------------------------------------------------------------------------- what the respondent does

const current = () => sections.findIndex((section) => section.classList.contains("now")) + 1;

// The step that the address names: #s3, or #i-GV1 for a question
function place() {
  const target = document.getElementById(location.hash.slice(1));
  const section = target && target.closest(".step");
  return section ? { n: sections.indexOf(section) + 1, target: target === section ? null : target } : { n: 1 };
}

function go(n) {
  sender.now();
  history.pushState(null, "", `#s${n}`);
  show.step(n);
}

const moves = {
  back: () => go(Math.max(current() - 1, 1)),
  next() {
    const first = answers.nowEligibility && !eligible.includes(answers.nowEligibility);
    if (first && sections[current() - 1].dataset.kind === "eligibility") return moves.submit();
    return go(Math.min(current() + 1, sections.length));
  },
  submit() {
    sender.handingIn = true;
    clearTimeout(sender.timer);
    return sender.now();
  },
  async language(button) {
    const address = `?language=${button.value}#s${current()}`;
    await sender.now();
    // unsaved answers would be lost with the page: rather stay
    if (!answers.changed || sender.ended) location.assign(address);
  },
};

form.addEventListener("change", (event) => {
  if (!event.target.closest("fieldset")) return;
  answers.set(event.target.name, event.target.value);
  sender.soon();
});

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button && button.value === "delete") {
    sender.ended = true;
    return;
  }
  event.preventDefault();
  if (!button || button.classList.contains("unseen")) return; // Enter in a question goes nowhere
  if (button.name === "language") moves.language(button);
  else moves[button.value]();
});

// A statement left open: go there ourselves, since the browser takes the focus away when it follows a link in the page
form.addEventListener("click", (event) => {
  const link = event.target.closest(".open a");
  if (!link) return;
  event.preventDefault();
  history.pushState(null, "", link.hash);
  const { n, target } = place();
  show.step(n, target);
});

window.addEventListener("popstate", () => {
  const { n, target } = place();
  if (n !== current() || target) show.step(n, target);
});
window.addEventListener("online", () => sender.now());
document.addEventListener("visibilitychange", () => {
  if (answers.changed) sender.now();
});
window.addEventListener("beforeunload", (event) => {
  if (answers.changed && !sender.ended && sender.failures) event.preventDefault();
});

answers.begin();
show.answers();
const start = place();
if (start.n > 1 || start.target) show.step(start.n, start.target);
