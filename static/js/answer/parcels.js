// A shared device keeps no answers that it could read itself. What somebody hands in without a connection is locked with
// the public key of the collection (ECDH on P-256 with a key made for this parcel, HKDF, AES-GCM); only the server can open
// it, and nobody can once the collection is sealed. surveys/views/teachers/saving.py is the other half.

import { allParcels, eraseParcel, keepParcel } from "./store.js";
import { post } from "./sender.js";

const CURVE = { name: "ECDH", namedCurve: "P-256" };

const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const textOf = (bytes) => btoa(String.fromCharCode(...bytes));

// Whether the draft is kept now, locked
export async function lock(draft, { collection, lock: publicKey }) {
  if (!crypto.subtle) return false; // plain http
  try {
    const theirs = await crypto.subtle.importKey("raw", bytesOf(publicKey), CURVE, false, []);
    const ours = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
    const secret = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, ours.privateKey, 256);
    const point = new Uint8Array(await crypto.subtle.exportKey("raw", ours.publicKey));
    const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
    const info = new TextEncoder().encode(`parcel ${collection}`);
    const key = await crypto.subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: point, info },
      material,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt"],
    );
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const text = new TextEncoder().encode(JSON.stringify(draft.body()));
    const locked = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, text));
    const parcel = textOf(new Uint8Array([...point, ...iv, ...locked]));
    return await keepParcel({ collection, parcel, until: draft.until });
  } catch {
    return false;
  }
}

// Send what is kept; how many are still kept after it
export async function sendParcels(address) {
  let left = 0;
  for (const { id, collection, parcel, until } of await allParcels()) {
    const server = await post(address, { collection, parcel });
    const done = ["submitted", "unknown", "invalid"].includes(server?.outcome);
    const over = !server && until && until < Date.now();
    if (done || over) await eraseParcel(id);
    else left += 1;
  }
  return left;
}
