// Kills the bridge, and tells what becomes of it.

import { byId, h } from './dom.js';
import { count, timeOfDay } from './words.js';

const EVERY_MS = 300;
const GIVE_UP_MS = 90_000;
const PATIENCE_MS = 5_000;

/**
 * The button. `url` is the stage's controls, or null; `tally()` says how the sale stands: its `events`, the
 * `process` that runs for it and its `place`, both of which may be empty.
 */
export class Bridge {
  #url;
  #tally;

  constructor(url, tally) {
    this.#url = url?.replace(/\/$/, '') ?? null;
    this.#tally = tally;
    const button = byId('kill');
    if (!this.#url) {
      button.disabled = true;
      this.#tell('This demo was started without controls, so it cannot be killed from here.');
      return;
    }
    button.addEventListener('click', () => this.#kill(button));
  }

  async #kill(button) {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    byId('killed').replaceChildren();
    const began = performance.now();
    try {
      const before = await this.#bridge();
      const stood = this.#tally();
      await this.#ask('/programs/bridge/kill', { method: 'POST', headers: { 'X-Stage': '1' } });
      const place = stood.place && `, and your process waits at ${stood.place}`;
      this.#tell(`Killed (kill -9, pid ${before.pid}), after ${count(stood.events, 'event')} of yours${place}.`, 'gone');
      await this.#until(before, began);
      const took = ((performance.now() - began) / 1000).toFixed(1);
      this.#tell(`Ready again after ${took} s.`, 'back');
      this.#tell(verdict(stood, this.#tally()), 'back');
    } catch (error) {
      this.#tell(error.message, 'gone');
    } finally {
      button.removeAttribute('aria-disabled');
    }
  }

  /** Waits until another bridge is ready. */
  async #until(before, began) {
    let told = false;
    while (performance.now() - began < GIVE_UP_MS) {
      const bridge = await this.#bridge();
      const other = bridge.restarts > before.restarts;
      if (other && bridge.state === 'ready') return;
      if (!told && bridge.state !== 'ready') {
        this.#tell('It is started again. What happens now waits in the Broker and in the engine.');
        told = true;
      }
      await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
    }
    throw new Error('The bridge is not back yet. The log of the demo says why.');
  }

  async #bridge() {
    const programs = await (await this.#ask('/programs', {})).json();
    const bridge = programs.find((program) => program.name === 'bridge');
    if (!bridge) throw new Error('The demo runs without a bridge.');
    return bridge;
  }

  async #ask(path, options) {
    let answer;
    try {
      answer = await fetch(this.#url + path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
      throw new Error('The controls of the demo do not answer. Is it still running?');
    }
    if (!answer.ok) throw new Error(`The controls of the demo answered ${answer.status}.`);
    return answer;
  }

  #tell(text, mark = '') {
    byId('killed').append(h('li', { class: mark }, h('time', {}, timeOfDay(Date.now())), h('p', {}, text)));
  }
}

function verdict(before, now) {
  if (!before.process) return 'No sale of yours was under way. Do it again while one is.';
  if (now.process !== before.process) return 'The process view does not show your process. Look at the events: they are all there.';
  const came = now.events - before.events;
  const place = now.place ? ` It waits at ${now.place}.` : '';
  return `Nothing is lost: the same process goes on${came > 0 ? `, and ${count(came, 'event')} more came` : ''}.${place}`;
}
