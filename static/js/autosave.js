// A form that is saved while somebody types: <form data-autosave> with components/autosave.html in it. The line there says how
// things stand, and says "saved" only of what the server has. Without this script the form's buttons save as they always do.
//
// Of two who write the same, both texts are shown, and nothing is sent until somebody chose. What others wrote into other
// fields comes with each answer. Other scripts call `form.saveNow()`, and hear of each state by the event "autosave".

const PAUSE = 800; // ms without a key
const LONGEST = 30_000; // between two attempts
const NOT_TYPED = ["csrfmiddlewaretoken", "typed", "once", "opened", "take"];

for (const form of document.querySelectorAll("form[data-autosave]")) autosave(form);

function autosave(form) {
  const line = form.querySelector("[data-state]");
  const { saving, saved, others: withOthers, refused, conflict, failed, out, signIn, address } = line.dataset;
  let held = form.querySelector(".is-invalid") ? "" : typed(new FormData(form)); // what the server has
  let choosing = Boolean(form.querySelector("[data-two-texts]")); // two texts are shown, and nobody chose yet
  let words = ""; // what was said of it
  let timer = 0;
  let failures = 0;
  let last = Promise.resolve();

  function typed(fields) {
    return JSON.stringify([...fields].filter(([name]) => !NOT_TYPED.includes(name)));
  }

  const isDirty = () => typed(new FormData(form)) !== held;

  function say(text, state, link) {
    if (line.textContent !== text) line.textContent = text;
    line.dataset.state = state;
    if (link) line.append(" ", link);
    form.dispatchEvent(new CustomEvent("autosave", { bubbles: true }));
  }

  function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(save, ms);
  }

  // One after the other, so that an answer is of what was sent. `ask`: also where nothing was typed, for what others wrote
  function save(how = {}) {
    clearTimeout(timer);
    last = last.then(() => attempt(how));
    return last;
  }

  async function attempt({ keepalive = false, ask = false }) {
    if (choosing) return "conflict";
    const dirty = isDirty();
    if (!dirty) {
      failures = 0;
      say(words, words && "saved"); // as it was before
      if (!ask) return "same";
    }
    const fields = new FormData(form);
    const token = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/); // another one since somebody signed in in another tab
    if (token) fields.set("csrfmiddlewaretoken", token[1]);
    if (dirty && !failures) say(saving, "saving");
    const { autosave: outcome, ...answer } = await send(fields, keepalive);
    if (outcome === "saved") {
      failures = 0;
      const theirs = settle(fields, answer);
      if (isDirty()) later(PAUSE);
      else if (dirty || theirs) {
        const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
        const time = new Date().toLocaleTimeString(document.documentElement.lang, clock);
        words = [dirty && saved.replace("{time}", time), theirs && withOthers].filter(Boolean).join(" ");
        say(words, "saved");
      }
      return outcome;
    }
    if (!isDirty()) return outcome; // nothing typed is at stake
    if (outcome === "conflict") {
      const now = new FormData(form);
      if (Object.keys(answer.others).some((name) => now.get(name) !== fields.get(name))) {
        later(PAUSE); // typed since into what the other filled in: it is asked anew
        return outcome;
      }
      choosing = true;
      hear(fields, answer.others);
      showBoth(answer.both);
      say(conflict, outcome);
      return outcome;
    }
    if (outcome === "refused") {
      failures = 0;
      say(refused.replace("{reasons}", answer.reasons.join(" ")), outcome);
      if (typed(fields) !== typed(new FormData(form))) later(PAUSE);
      return outcome;
    }
    failures += 1;
    if (outcome === "out") {
      const link = Object.assign(document.createElement("a"), { href: address, target: "_blank", textContent: signIn });
      say(out, outcome, link);
    } else say(failed, "failed");
    later(Math.min(1000 * 2 ** failures, LONGEST));
    return outcome;
  }

  // What the server holds is from here on what the fields began with. True where it holds what somebody else wrote
  function settle(fields, { opened, others }) {
    const heard = hear(fields, others);
    for (const field of written(fields)) if (!(field.name in others)) field.defaultValue = fields.get(field.name);
    // typed since into one of them: it is compared with what stood there when this began
    if (heard === Object.keys(others).length) form.querySelector("[name=opened]").value = opened;
    held = typed(fields);
    form.querySelector("[data-two-texts]")?.remove();
    form.dispatchEvent(new CustomEvent("autosaved", { bubbles: true }));
    return heard > 0;
  }

  const written = (fields) =>
    [...form.elements].filter(
      (field) => !["hidden", "radio"].includes(field.type) && "defaultValue" in field && fields.has(field.name),
    );

  // What others wrote, into the fields in which nobody typed since they were sent. How many these are
  function hear(fields, others) {
    let n = 0;
    for (const field of written(fields)) {
      if (!(field.name in others) || field.value !== fields.get(field.name)) continue;
      field.value = field.defaultValue = others[field.name];
      fields.set(field.name, field.value);
      n += 1;
    }
    // of one that is chosen, its value is what it stands for: another one is checked
    for (const field of form.querySelectorAll("input[type=radio]")) {
      const { name, value } = field;
      if (!(name in others) || value !== others[name] || new FormData(form).get(name) !== fields.get(name)) continue;
      field.checked = true;
      fields.set(name, value);
      n += 1;
    }
    return n;
  }

  function showBoth(both) {
    form.querySelector("[data-two-texts]")?.remove();
    const template = document.createElement("template");
    template.innerHTML = both;
    form.querySelector("[name=opened]").remove();
    form.prepend(template.content);
  }

  async function send(body, keepalive) {
    try {
      const headers = { "X-Autosave": "yes" };
      const options = { method: "POST", body, headers, keepalive, redirect: "manual", signal: AbortSignal.timeout(20_000) };
      const answer = await fetch(form.getAttribute("action"), options);
      if (answer.status === 401) return { autosave: "out" };
      return await answer.json(); // a page of somebody else's is none
    } catch {
      return { autosave: "failed" };
    }
  }

  function changed() {
    if (choosing) return;
    if (isDirty() && !failures) say(saving, "saving");
    later(PAUSE);
  }

  form.saveNow = save;
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault(); // a page that never comes would take the text with it
    choosing = false;
    save();
  });
  addEventListener("online", () => save());
  addEventListener("focus", () => failures && save());
  document.addEventListener("visibilitychange", () => document.hidden && save({ keepalive: true }));
  addEventListener("beforeunload", (event) => {
    if (isDirty()) event.preventDefault();
  });
  if (choosing) say(conflict, "conflict");
}
