// Brings a draft to the server: at most one request each two seconds and one at each step, one at a time, again with
// growing pauses when it fails. `hooks` are told what becomes of it.

const PAUSE = 2000;
const LONGEST_PAUSE = 30000;
const PATIENCE = 15000;
const AGAIN_LATER = [408, 425, 429];

// The server's answer to a JSON post: {status, server}, server null where none came (no network, another's page, a fault)
export async function post(address, body, credentials = "omit") {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), PATIENCE);
  let status = 0;
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      keepalive: true, // goes on when the page is left
      redirect: "error", // a network's own sign-in page is no answer
      signal: controller.signal,
      credentials,
    });
    status = response.status;
    return { status, server: await response.json() };
  } catch {
    return { status, server: null };
  } finally {
    clearTimeout(timer);
  }
}

export class Sender {
  constructor(draft, hooks, { save, submit, credentials, once = false }) {
    Object.assign(this, { draft, hooks, save, submit, credentials, once });
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
    const { status, server } = await post(handingIn ? this.submit : this.save, draft.body(), this.credentials);
    if (this.ended) return false;
    if (status >= 400 && status < 500 && !AGAIN_LATER.includes(status)) return this.end(hooks.refused);
    if (!server || !server.outcome || status >= 400) {
      this.failures += 1;
      hooks.failed();
      return false;
    }
    this.failures = 0;
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
