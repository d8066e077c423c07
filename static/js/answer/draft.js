// What one respondent said, and what the server is known to hold of it.
//
// `now` is what stands on the page, `base` what the server held as number `sequence`; both are flat: the eligibility
// answer stands among the others. A draft becomes a plain record in the store, and is made from one again.

export const flat = ({ answers = {}, eligibility }) => (eligibility ? { ...answers, eligibility } : { ...answers });

export class Draft {
  constructor(record) {
    Object.assign(this, { handle: "", team: "", sequence: 0, base: {}, handingIn: false, language: "", until: 0 }, record);
    this.now = { ...(record.now || this.base) };
  }

  get changed() {
    return codesOf(this.now, this.base).some((code) => this.now[code] !== this.base[code]);
  }

  set(code, value) {
    if (value === "" || Number.isNaN(value)) delete this.now[code];
    else this.now[code] = value;
  }

  // What a save or a submit sends: the whole answers, as the number after the one they build on
  body() {
    const { eligibility = "", ...answers } = this.now;
    return { key: this.key, sequence: this.sequence + 1, language: this.language, answers, eligibility };
  }

  // The server holds this now; what was answered here since `before` stays. Answers that waited for a connection (`late`)
  // give way where somebody answered the same question meanwhile: nobody knows which is the newer, and that one is saved.
  stored(server, before = this.base, late = false) {
    const here = this.now;
    const held = flat(server);
    this.now = { ...held };
    for (const code of codesOf(here, before)) {
      if (here[code] === before[code]) continue;
      if (late && held[code] !== this.base[code]) continue;
      this.set(code, here[code] ?? "");
    }
    this.base = held;
    this.sequence = server.sequence;
  }

  record() {
    const { key, handle, team, version, collection, language, until, sequence, base, now, handingIn } = this;
    const touched = Date.now();
    return { key, handle, team, version, collection, language, until, sequence, base, now, handingIn, touched };
  }
}

const codesOf = (...objects) => [...new Set(objects.flatMap(Object.keys))];
