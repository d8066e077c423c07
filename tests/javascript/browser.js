// As much of a browser as the scripts under static/js/answer ask for: a store, a cache and a network that the test plays.

export const tables = { drafts: new Map(), parcels: new Map() };
export const cached = new Map();

const later = (act) => queueMicrotask(act);

function table(name) {
  const rows = tables[name];
  const keyPath = { drafts: "key", parcels: "id" }[name];
  const asked = (result) => ({ result });
  return {
    put: (row) => asked(rows.set((row[keyPath] ??= rows.size + 1), structuredClone(row)) && row[keyPath]),
    get: (key) => asked(structuredClone(rows.get(key))),
    getAll: () => asked(structuredClone([...rows.values()])),
    delete: (key) => asked(rows.delete(key) && undefined),
  };
}

const database = {
  close() {},
  transaction(name) {
    const transaction = { objectStore: () => table(name) };
    setTimeout(() => transaction.oncomplete(), 0);
    return transaction;
  },
};

const listening = { addEventListener() {} };
const addressOf = (request) => new URL(request.url ?? request, "https://ours.example/").href;
let told = () => {};
const note = { textContent: "{n}" };
Object.defineProperty(note, "hidden", { set: () => told() });
// Until a page has sent what it could: then it says how many are left
export const sent = () => new Promise((resolve) => (told = resolve));

Object.assign(globalThis, {
  window: { ...listening, isSecureContext: true, caches: true },
  document: { ...listening, getElementById: (id) => (id === "kept" ? note : null), querySelectorAll: () => [] },
  location: {
    href: "https://ours.example/a/q",
    pathname: "/a/q",
    went: [],
    replace: (address) => location.went.push(address),
    reload: () => location.went.push("reload"),
    toString: () => "https://ours.example/a/q",
  },
  indexedDB: {
    open() {
      const request = { result: database };
      later(() => request.onsuccess());
      return request;
    },
  },
  caches: {
    open: async () => ({
      put: async (request, response) => cached.set(addressOf(request), await response.text()),
      keys: async () => [...cached.keys()].map((url) => ({ url })),
      delete: async (request) => cached.delete(addressOf(request)),
      addAll: async (addresses) => {
        for (const address of addresses) {
          const response = await fetch(address, {});
          if (!response.ok) throw new TypeError("not ok");
          cached.set(addressOf(address), await response.text());
        }
      },
    }),
  },
});
Object.defineProperty(globalThis, "navigator", {
  value: { onLine: true, serviceWorker: { register: async () => {} } },
  configurable: true,
});

// The network: `answer` is asked with the address and the options of each request
export function network(answer) {
  const asked = [];
  globalThis.fetch = async (address, options = {}) => {
    asked.push({ address, options });
    return answer(String(address), options);
  };
  return asked;
}
