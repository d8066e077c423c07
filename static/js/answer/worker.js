// The service worker of /a/, at the fixed address /a/sw.js. It holds the empty questionnaire with its style and script, never
// a key, a team or an answer: drafts are in the pages' own store. Pages come from the network; where it does not answer, the questionnaire
// comes from here and finds the draft on the device by itself.

import { CACHE, PAGE, inLanguage } from "./names.js";

const PATIENCE = 6000;
// The server puts the hash of the page's own style in its slot
const POLICY =
  "default-src 'none'; script-src 'self'; style-src @@STYLE@@; img-src 'self' data:; connect-src 'self'; " +
  "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => event.waitUntil(tidy().then(() => self.clients.claim())));

async function tidy() {
  const old = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, url));
  else if (["style", "script"].includes(request.destination)) event.respondWith(asset(request));
});

async function page(request, url) {
  const kept = await empty(url.searchParams.get("language"));
  try {
    const response = await (kept ? Promise.race([fetch(request), late()]) : fetch(request));
    if (kept && [502, 503, 504].includes(response.status)) return kept;
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

const late = () => new Promise((_, reject) => setTimeout(() => reject(new Error("late")), PATIENCE));

async function empty(language) {
  const cache = await caches.open(CACHE);
  const found = (language && (await cache.match(inLanguage(language)))) || (await cache.match(PAGE));
  if (!found) return null;
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
  };
  return new Response(found.body, { headers });
}

async function asset(request) {
  return (await (await caches.open(CACHE)).match(request)) || fetch(request);
}
