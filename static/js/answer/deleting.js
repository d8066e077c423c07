// Delete one's answers, at the server first: the device forgets its own only when the server has said that it did.

import { post } from "./sender.js";
import { erase } from "./store.js";

// "deleted", or "unknown" where the server holds nothing any more; blank if it was not heard, and then all is as before
export async function deleteAnswers(address, key) {
  const server = await post(address, { key }, "same-origin");
  if (!["deleted", "unknown"].includes(server?.outcome)) return "";
  await erase(key);
  return server.outcome;
}
