// What is kept on the device: drafts until they are handed in, and locked parcels of a shared device until they are sent.
// Where a browser keeps nothing, every function says so by its result instead of failing.

const DRAFTS = "drafts";
const PARCELS = "parcels";
const PATIENCE = { readwrite: 2000, readonly: 5000 }; // a draft that is read too late would be written over
const LOST = ["InvalidStateError", "AbortError", "UnknownError"];
let opened;
let leaving = false;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("teamspiegel", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(DRAFTS, { keyPath: "key" });
      request.result.createObjectStore(PARCELS, { keyPath: "id", autoIncrement: true });
    };
    request.onsuccess = () => {
      request.result.onclose = forgetOpened; // the system took it away, as iOS does with pages that were not seen for a while
      resolve(request.result);
    };
    request.onerror = request.onblocked = () => reject(request.error);
  });
  return opened;
}

function forgetOpened() {
  opened = undefined;
}

function close() {
  if (opened) opened.then((database) => database.close()).catch(() => {});
  forgetOpened();
}

// In WebKit (Safari) a transaction that begins while its page is left never ends, and every later one waits for it: so a page
// that is left begins none, and nobody waits for one longer than PATIENCE.
window.addEventListener("pagehide", () => {
  leaving = true;
  close();
});
window.addEventListener("pageshow", () => {
  leaving = false;
});

const late = (mode) =>
  new Promise((_, reject) => setTimeout(() => reject(new Error("the store does not answer")), PATIENCE[mode]));

// One transaction; what comes back stands on the disk
async function transact(store, mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode, { durability: "strict" });
    const request = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

// Twice, if it was closed or lost by the system meanwhile: what is asked for now is kept now, not with the next answer. Twice
// the same changes nothing. One that does not answer in time or has no room is asked once.
async function ask(store, mode, act, again = true) {
  if (leaving) throw new Error("the page is left");
  try {
    return await Promise.race([transact(store, mode, act), late(mode)]);
  } catch (error) {
    close(); // the next one opens it anew
    if (again && LOST.includes(error?.name)) return ask(store, mode, act, false);
    throw error;
  }
}

const done = (promise) => promise.then(() => true).catch(() => false);
const found = (promise, otherwise) => promise.catch(() => otherwise);

export const keep = (record) => done(ask(DRAFTS, "readwrite", (store) => store.put(record)));
export const erase = (key) => done(ask(DRAFTS, "readwrite", (store) => store.delete(key)));
export const kept = (key) => found(ask(DRAFTS, "readonly", (store) => store.get(key)), undefined);
export const allKept = () => found(ask(DRAFTS, "readonly", (store) => store.getAll()), []);

export const keepParcel = (parcel) => done(ask(PARCELS, "readwrite", (store) => store.put(parcel)));
export const eraseParcel = (id) => done(ask(PARCELS, "readwrite", (store) => store.delete(id)));
export const allParcels = () => found(ask(PARCELS, "readonly", (store) => store.getAll()), []);
