// A form that is saved while somebody types: <form data-autosave> with components/autosave.html in it. The line there says how
// things stand, and says "saved" only of what the server has. Without this script the form's buttons save as they always do.

const PAUSE = 800; // ms without a key
const LONGEST = 30_000; // between two attempts

for (const form of document.querySelectorAll("form[data-autosave]")) autosave(form);

function autosave(form) {
  const line = form.querySelector("[data-state]");
  const { saving, saved, refused, failed, out, signIn, address } = line.dataset;
  let held = form.querySelector(".is-invalid") ? "" : typed(); // what the server has
  let words = ""; // what was said of it
  let timer = 0;
  let failures = 0;
  let running = null;
  let leaving = false;

  function typed() {
    const fields = [...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "typed"].includes(name));
    return JSON.stringify(fields);
  }

  function say(text, state, link) {
    if (line.textContent !== text) line.textContent = text;
    line.dataset.state = state;
    if (link) line.append(" ", link);
  }

  function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(save, ms);
  }

  async function save(keepalive = false) {
    clearTimeout(timer);
    if (running || leaving) return;
    const sent = typed();
    if (sent === held) {
      failures = 0;
      return say(words, words && "saved"); // as it was before
    }
    const fields = new FormData(form);
    const token = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/); // another one since somebody signed in in another tab
    if (token) fields.set("csrfmiddlewaretoken", token[1]);
    running = send(fields, keepalive === true);
    if (!failures) say(saving, "saving");
    const [outcome, reasons] = await running;
    running = null;
    if (leaving) return;
    if (outcome === "saved") {
      failures = 0;
      held = sent;
      settle(fields);
      if (typed() !== held) return later(PAUSE);
      const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      const time = new Date().toLocaleTimeString(document.documentElement.lang, clock);
      words = saved.replace("{time}", time);
      return say(words, "saved");
    }
    if (outcome === "refused") {
      failures = 0;
      say(refused.replace("{reasons}", reasons.join(" ")), "refused");
      return typed() === sent ? undefined : later(PAUSE);
    }
    failures += 1;
    if (outcome === "out") {
      const link = Object.assign(document.createElement("a"), { href: address, target: "_blank", textContent: signIn });
      say(out, "out", link);
    } else say(failed, "failed");
    return later(Math.min(1000 * 2 ** failures, LONGEST));
  }

  // What the server holds is from here on what the fields began with
  function settle(fields) {
    for (const field of form.elements) {
      if (field.type === "hidden" || !("defaultValue" in field) || !fields.has(field.name)) continue;
      field.defaultValue = fields.get(field.name);
    }
    form.dispatchEvent(new CustomEvent("autosaved", { bubbles: true }));
  }

  async function send(body, keepalive) {
    try {
      const headers = { "X-Autosave": "yes" };
      const options = { method: "POST", body, headers, keepalive, redirect: "manual", signal: AbortSignal.timeout(20_000) };
      const answer = await fetch(form.getAttribute("action"), options);
      if (answer.status === 401) return ["out"];
      const said = await answer.json(); // a page of somebody else's is none
      return [said.autosave, said.reasons];
    } catch {
      return ["failed"];
    }
  }

  form.addEventListener("input", () => later(PAUSE));
  form.addEventListener("change", () => later(PAUSE));
  form.addEventListener("submit", () => {
    leaving = true; // the form itself saves now
    clearTimeout(timer);
    setTimeout(() => (leaving = false), LONGEST); // or its page never came
  });
  addEventListener("pageshow", () => (leaving = false));
  addEventListener("online", () => save());
  addEventListener("focus", () => failures && save());
  document.addEventListener("visibilitychange", () => document.hidden && save(true));
  addEventListener("beforeunload", (event) => {
    if (!leaving && typed() !== held) event.preventDefault();
  });
}
