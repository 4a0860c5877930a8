// Where the customer's process stands, asked of the process view: a stranger that may be away.

import { byId } from './dom.js';
import { timeOfDay } from './words.js';

const EVERY_MS = 1_000;
const SLOWEST_MS = 15_000;
const PATIENCE_MS = 4_000;
/** An event has passed: the process moves in a moment, and is seen to have moved in another. */
const SOON_MS = [150, 350, 500];

/** Asks again and again while the page is seen, and shows the answer. */
export class Process {
  #url;
  #diagram;
  #session = null;
  #begun = false;
  #instance = null;
  #failures = 0;
  #timer = null;
  #asking = false;
  #soon = [];

  /** `url` is the process view's, or null where the demo has none. */
  constructor(url, diagram) {
    this.#url = url?.replace(/\/$/, '') ?? null;
    this.#diagram = diagram;
    document.addEventListener('visibilitychange', () => this.#next(0));
    if (!this.#url) this.#say('not shown', 'This demo was started without a process view, so the diagram stays as it is.');
  }

  /** The instance as it was seen last, or null. */
  get instance() {
    return this.#instance;
  }

  /** Whose process it is. `begun`: whether that sale has begun, so that there should be one. */
  follow(session, begun) {
    if (session === this.#session && begun === this.#begun) return;
    this.#begun = begun;
    if (session !== this.#session) {
      this.#session = session;
      this.#found(null);
    }
    this.#next(0);
  }

  /** Looks soon, and again soon after, rather than in a second. */
  look() {
    if (this.#failures > 0) return;
    this.#soon = [...SOON_MS];
    this.#next(this.#soon.shift());
  }

  /** Where it stands, in words. */
  get place() {
    const ids = (this.#instance?.waitingAt ?? []).map((element) => element.elementId);
    const names = ids.filter((id) => !this.#diagram.holdsOthers(id)).map((id) => this.#diagram.nameOf(id));
    return [...new Set(names)].map((name) => `“${name}”`).join(' and ');
  }

  #next(delay) {
    clearTimeout(this.#timer);
    if (!this.#url || document.visibilityState !== 'visible') return;
    this.#timer = setTimeout(() => this.#ask(), delay);
  }

  async #ask() {
    if (this.#asking || !this.#session) return;
    this.#asking = true;
    const session = this.#session;
    try {
      const answer = await fetch(`${this.#url}/instances?variable=session&value=${encodeURIComponent(session)}`, {
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
      const instances = await answer.json();
      this.#failures = 0;
      if (session === this.#session) this.#found(latest(instances));
    } catch {
      this.#failures += 1;
      this.#soon = [];
      this.#failed();
    }
    this.#asking = false;
    this.#next(this.#soon.shift() ?? (this.#still() ? SLOWEST_MS : Math.min(SLOWEST_MS, EVERY_MS * 2 ** this.#failures)));
  }

  /** Nothing moves before a sale begins and after it ended. */
  #still() {
    return this.#failures === 0 && (this.#instance ? this.#instance.state !== 'ACTIVE' : !this.#begun);
  }

  #found(instance) {
    this.#instance = instance;
    this.#diagram.mark(instance);
    if (!instance) {
      this.#say('none', this.#begun
        ? 'No process knows this sale yet.'
        : 'There is none yet: it starts with the event that you join the line.');
      return;
    }
    const failed = instance.incidents ?? [];
    if (failed.length) {
      const where = failed.map((incident) => `“${this.#diagram.nameOf(incident.elementId)}”: ${incident.message}`).join('; ');
      this.#say('incident', `It needs an operator. ${where}`);
    } else if (instance.state === 'ACTIVE') {
      this.#say('running', this.place ? `It waits at ${this.place}.` : 'It moves.');
    } else {
      // The ends of what lies within it came before its own.
      const last = instance.endEvents?.at(-1);
      const how = instance.state === 'COMPLETED' ? 'ended' : 'stopped';
      this.#say(how, `It ${how === 'ended' ? 'ended' : 'was stopped'}${last ? ` at “${this.#diagram.nameOf(last)}”` : ''}, ${timeOfDay(instance.endedAt)}.`);
    }
  }

  #failed() {
    this.#say('not seen', this.#failures < 3
      ? 'The process view does not answer; asking again.'
      : 'The process view does not answer. The sale goes on without it; what you see here may be old.');
  }

  #say(state, text) {
    const badge = byId('process-state');
    badge.textContent = state;
    badge.dataset.state = state;
    // Only what is new is read aloud.
    if (byId('process-text').textContent !== text) byId('process-text').textContent = text;
  }
}

/** The one that runs, else the one that began last. */
function latest(instances) {
  const order = (instance) => [instance.state === 'ACTIVE' ? 1 : 0, instance.startedAt];
  return instances.reduce((best, instance) => {
    if (!best) return instance;
    const [a, b] = [order(instance), order(best)];
    return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]) ? instance : best;
  }, null);
}
