// The questionnaire on the device: the page without key, answers and team, with its style and script, for the service worker.

import { CACHE, PAGE, inLanguage } from "./names.js";

const works = () => window.isSecureContext && "serviceWorker" in navigator && "caches" in window;
const asPage = (text) => new Response(text, { headers: { "Content-Type": "text/html; charset=utf-8" } });

// Keep the page as it came, emptied: nothing is asked of the server but the worker itself
export async function keepPage(form) {
  if (!works()) return;
  const root = document.documentElement.cloneNode(true);
  root.querySelector("[name=key]").setAttribute("value", "");
  root.querySelector("#state").textContent = "{}";
  root.querySelector("#team").textContent = "";
  const text = `<!doctype html>${root.outerHTML}`;
  const assets = [...document.querySelectorAll("link[rel=stylesheet], script[src]")].map((one) => one.href || one.src);
  try {
    await navigator.serviceWorker.register(form.dataset.worker, { scope: form.dataset.join });
    const cache = await caches.open(CACHE);
    const known = await cache.keys();
    await Promise.all(assets.map((address) => keepAsset(cache, address))); // out of the browser's own cache
    await cache.put(PAGE, asPage(text));
    await cache.put(inLanguage(form.dataset.language), asPage(text));
    // an earlier release's, or another questionnaire's in the other language
    const stale = known.filter(({ url }) => url.includes("/a/q?") || !assets.includes(url));
    const kept = [PAGE, inLanguage(form.dataset.language)].map((path) => new URL(path, location).href);
    await Promise.all(stale.filter(({ url }) => !kept.includes(url)).map((request) => cache.delete(request)));
  } catch {
    // private windows and full disks: then only what is on this page can go on without a connection
  }
}

// Style or script, never a page that a network's sign-in sent in its place: the worker would go on serving that
async function keepAsset(cache, address) {
  const response = await fetch(address, { redirect: "error" });
  if (!response.ok || !/css|javascript/.test(response.headers.get("Content-Type"))) throw new Error("not ours");
  await cache.put(address, response);
}

// The other language's page, so that the language can be switched without a connection. Whether it is kept
export async function keepOtherLanguage(form, key) {
  const button = form.querySelector("[name=language]");
  if (!works() || !button) return false;
  try {
    const body = new URLSearchParams({ key, blank: button.value });
    const response = await fetch(location.pathname, { method: "POST", body });
    const text = await response.text();
    if (!response.ok || !text.includes(`data-version="${form.dataset.version}"`)) return false; // not ours
    const cache = await caches.open(CACHE);
    await cache.put(inLanguage(button.value), asPage(text));
    return true;
  } catch {
    return false;
  }
}
