// Who answers (we, a proxy, a filter, a captive portal, a cache) × with which status × to what: a device forgets what it
// keeps for our own word alone. Prints each case as a line of JSON: [who, status, to what, what is still kept, asked].

import { cached, network, sent, tables } from "./browser.js";

const { waiting } = await import("../../static/js/answer/waiting.js");
const { forget } = await import("../../static/js/answer/questionnaire.js");
const { keepOtherLanguage, keepPage } = await import("../../static/js/answer/offline.js");
const { deleteAnswers } = await import("../../static/js/answer/deleting.js").catch(() => ({}));

const STATUSES = [200, 201, 204, 301, 302, 303, 307, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 411, 413, 414];
STATUSES.push(415, 417, 418, 421, 422, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 507, 511, 520, 599);
const HTML = "<!doctype html><title>Blocked</title><p>This page is blocked by the school.";
const OUTCOMES = { save: "submitted", submit: "submitted", parcel: "submitted", delete: "deleted" };
const html = { "Content-Type": "text/html" };
const json = { "Content-Type": "application/json" };
const empty = (status) => [204, 205, 304].includes(status);

function respond(status, text, headers, redirected = false) {
  const response = new Response(empty(status) ? null : text, { status, headers });
  if (redirected) Object.defineProperty(response, "redirected", { value: true });
  return response;
}

const echoOf = ({ body }) => JSON.parse(body).echo;

// What each of them says to a request for which `outcome` would be the answer that makes a device forget
const WHO = {
  html: (status) => respond(status, HTML, html),
  nothing: (status) => respond(status, "", {}),
  "html as json": (status) => respond(status, HTML, json),
  null: (status) => respond(status, "null", json),
  "a text": (status) => respond(status, '"blocked"', json),
  "a list": (status) => respond(status, "[]", json),
  "another's json": (status) => respond(status, '{"error": "blocked", "code": 7}', json),
  "another's outcome": (status, outcome) => respond(status, JSON.stringify({ outcome }), json),
  "an old invalid": (status) => respond(status, '{"outcome": "invalid"}', json),
  "an old unknown": (status) => respond(status, '{"outcome": "unknown", "echo": "1-2-3"}', json),
  "a cache of ours": (status, outcome) => respond(status, JSON.stringify({ outcome, echo: "1-2-3" }), json),
  mirror: (status, _outcome, options) => respond(status, options.body, json),
  "mirror with a word": (status, _outcome, options) =>
    respond(status, JSON.stringify({ ...JSON.parse(options.body), outcome: "blocked" }), json),
  "captive portal": (status, _outcome, options) => {
    if (options.redirect === "error") throw new TypeError("redirected");
    return respond(200, HTML, html, true);
  },
  "no network": () => {
    throw new TypeError("no network");
  },
};
// at any status, since a proxy may change that too and leave the text
const OURS = {
  ours: (status, outcome, options) => respond(status, JSON.stringify({ outcome, echo: echoOf(options) }), json),
  "ours, unknown": (status, _outcome, options) =>
    respond(status, JSON.stringify({ outcome: "unknown", echo: echoOf(options) }), json),
};
const OTHER = {
  "ours, other": (_status, _outcome, options) =>
    respond(409, JSON.stringify({ outcome: "other", echo: echoOf(options) }), json),
};
const INVALID = {
  "ours, invalid": (status, _outcome, options) =>
    respond(status, JSON.stringify({ outcome: "invalid", echo: echoOf(options) }), json),
};

const draft = (more) => ({
  ...{ key: "k", version: "v", collection: "c", language: "nl", until: Date.now() + 1e9, sequence: 1, base: { GV1: 1 } },
  ...{ now: { GV1: 2, GV2: 3 }, handingIn: false, touched: 1, ...more },
});
const PAGE = { dataset: {} };

async function open() {
  const done = sent();
  waiting(PAGE);
  await done;
}

const WAYS = {
  async save() {
    tables.drafts.set("k", draft());
    await open();
  },
  async submit() {
    tables.drafts.set("k", draft({ handingIn: true }));
    await open();
  },
  async parcel() {
    tables.parcels.set(1, { id: 1, collection: "c", parcel: "locked", until: Date.now() + 1e9 });
    await open();
  },
  async delete() {
    tables.drafts.set("k", draft());
    await deleteAnswers("/a/delete", "k");
  },
};

const print = (...values) => console.log(JSON.stringify(values));

async function cell(who, say, status, way) {
  for (const rows of Object.values(tables)) rows.clear();
  const asked = network((_address, options) => say(status, OUTCOMES[way], options));
  await WAYS[way]();
  const kept = [...tables.drafts.values(), ...tables.parcels.values()];
  const whole = kept.length === 1 && (kept[0].parcel ?? JSON.stringify(kept[0].now));
  print(who, status, way, whole, asked.length);
}

for (const way of Object.keys(WAYS)) {
  for (const [who, say] of Object.entries(WHO)) for (const status of STATUSES) await cell(who, say, status, way);
  for (const status of [200, 400, 403]) {
    for (const [who, say] of Object.entries(OURS)) await cell(who, say, status, way);
    for (const [who, say] of Object.entries({ ...INVALID, ...OTHER })) await cell(who, say, status, way);
  }
}

// ------------------------------------------------------------------- to whose address a draft is sent by other pages

for (const handle of ["", "AAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBB"]) {
  for (const handingIn of [false, true]) {
    for (const rows of Object.values(tables)) rows.clear();
    tables.drafts.set("k", draft({ handle, handingIn }));
    const asked = network((_address, options) => OURS.ours(200, handingIn ? "submitted" : "saved", options));
    await open();
    print(handle, 0, "address", asked[0].address, asked.length);
  }
}

// ------------------------------------------------------------------- what is taken from the network besides answers

const form = {
  dataset: { version: "0123456789abcdef", language: "nl", worker: "/a/sw.js", join: "/a/" },
  querySelector: () => ({ value: "en" }),
};
const OTHERS = { ok: (text, type) => respond(200, text, { "Content-Type": type }), ...WHO };
for (const who of Object.keys(OTHERS)) {
  for (const status of who === "ok" ? [200] : STATUSES) {
    const say = (good, type) => (who === "ok" ? OTHERS.ok(good, type) : WHO[who](status, "saved", { body: "{}" }));
    cached.clear();
    network(() => say('<form id="q" data-version="0123456789abcdef">', "text/html"));
    await keepOtherLanguage(form);
    print(who, status, "language", cached.size, 1);
    cached.clear();
    const root = { outerHTML: "<html>", querySelector: () => ({ setAttribute() {} }), cloneNode: () => root };
    document.documentElement = root;
    document.querySelectorAll = () => [{ src: "https://ours.example/static/build/answer.js" }];
    network(() => say("work()", "text/javascript"));
    await keepPage(form);
    print(who, status, "script", cached.has("https://ours.example/static/build/answer.js"), 1);
    document.querySelectorAll = () => [];
    location.went.length = 0;
    network((address) => {
      const response = who === "ok" ? respond(200, "welcome", html, true) : WHO[who](status, "", { body: "{}" });
      Object.defineProperty(response, "url", { value: who === "ok" ? "/a/CODE?shared=yes" : address });
      return response;
    });
    await forget("/a/next");
    print(who, status, "next", location.went.join(), 1);
  }
}
process.exit(0);
