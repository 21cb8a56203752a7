// Requests; what the server refuses becomes an error with its sentence.

import { byId } from "./store.js";

export class Refused extends Error {}

export async function ask(method, path, body, options = {}) {
  const raw = body instanceof Blob;
  let answer;
  try {
    answer = await fetch(path, {
      method,
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
      headers: body === undefined || raw ? {} : { "Content-Type": "application/json" },
      ...options,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer; start masktrail web again.");
  }
  if (!answer.ok) throw new Refused(await sentence(answer));
  return answer;
}

export const askJson = async (...request) => (await ask(...request)).json();

async function sentence(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return `The server failed (${answer.status}).`;
  }
}

export function say(text) {
  const bar = byId("message");
  bar.textContent = text ?? "";
  bar.hidden = !text;
}

// Runs what may be refused, and shows the sentence if it is.
export async function trying(work) {
  try {
    const result = await work();
    say(null);
    return result;
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    if (!(error instanceof Refused)) console.error(error);
    say(error.message);
    return undefined;
  }
}
