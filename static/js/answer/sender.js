// Brings a draft to the server: at most one request each two seconds and one at each step, one at a time, again with
// growing pauses when it fails. `hooks` are told what becomes of it.

const PAUSE = 2000;
const LONGEST_PAUSE = 30000;
const PATIENCE = 15000;
const OUTCOMES = ["saved", "conflict", "submitted", "deleted", "invalid", "unknown", "other"];

// The server's answer to a JSON post, null where none came: no network, a fault, or an answer of somebody else. A proxy, a
// filter or a cache can send any status and any text, so the status tells nothing: ours gives back what this request alone
// said (surveys/views/teachers/saving.py).
export async function post(address, body, credentials = "omit") {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), PATIENCE);
  const echo = crypto.getRandomValues(new Uint32Array(3)).join("-");
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, echo }),
      keepalive: true, // goes on when the page is left
      redirect: "error", // a network's own sign-in page is no answer
      signal: controller.signal,
      credentials,
    });
    const server = await response.json();
    return server.echo === echo && OUTCOMES.includes(server.outcome) ? server : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

export class Sender {
  constructor(draft, hooks, { pages = "", credentials, once = false }) {
    Object.assign(this, { draft, hooks, pages, credentials, once });
    this.busy = null; // the request under way
    this.timer = 0;
    this.lastSent = 0;
    this.failures = 0;
    this.ended = false;
  }

  get waiting() {
    return !this.ended && (this.draft.changed || this.draft.handingIn);
  }

  // Save soon: two seconds after the last request at the earliest
  soon() {
    if (this.ended || this.timer || this.once) return;
    const wait = Math.max(this.lastSent + PAUSE - Date.now(), this.failures ? this.pause() : PAUSE);
    this.timer = setTimeout(() => this.now(), wait);
  }

  pause() {
    return Math.min(PAUSE * 2 ** this.failures, LONGEST_PAUSE) * (0.75 + Math.random() / 2);
  }

  // Send what there is; each request builds on the one before
  async now() {
    clearTimeout(this.timer);
    this.timer = 0;
    while (this.busy) {
      await this.busy;
      if (this.timer) return; // it failed and will be tried again
    }
    if (!this.waiting) return;
    let again = false;
    this.busy = this.send().then((conflict) => {
      again = conflict;
      this.busy = null;
    });
    await this.busy;
    if (this.ended) return;
    if (again) await this.now();
    else if (this.waiting) this.soon();
  }

  // One request. Whether another tab's answers were merged, so that ours must be sent again
  async send() {
    const { draft, hooks } = this;
    const sent = { ...draft.now };
    const handingIn = draft.handingIn;
    const late = this.failures > 0;
    this.lastSent = Date.now();
    hooks.sending();
    const server = await post(this.pages + (handingIn ? "submit" : "save"), draft.body(), this.credentials);
    if (this.ended) return false;
    if (!server) {
      this.failures += 1;
      hooks.failed();
      return false;
    }
    this.failures = 0;
    if (server.outcome === "invalid") return this.end(hooks.refused);
    if (server.outcome === "other") return this.end(hooks.other);
    if (server.outcome === "unknown") return this.end(hooks.gone);
    if (server.outcome === "submitted") return this.end(hooks.submitted);
    // saved: the server holds what we sent. conflict: it holds another tab's answers, ours go over them in the next round
    const saved = server.outcome === "saved";
    draft.stored(server, saved ? sent : draft.base, late);
    hooks.stored();
    return !saved;
  }

  end(told) {
    this.ended = true;
    clearTimeout(this.timer);
    told();
    return false;
  }
}
