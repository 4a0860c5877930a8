// Speaks to the website that this page came from.

const PATIENCE_MS = 15_000;

/** What the website answers to a GET, or throws an error that can be shown. */
export async function read(path) {
  return (await ask(path, {})).json();
}

/** Asks the website to do something; resolves when it has accepted that. */
export async function order(path, body = {}) {
  await ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new Error('The shop does not answer. Is the demo still running? Try again in a moment.');
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  throw new Error(said?.error ? `The shop says: ${said.error}` : `The shop answered ${answer.status}.`);
}
