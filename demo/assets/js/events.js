// The events of this customer's sale, as they passed the Broker.

import { byId, h } from './dom.js';
import { count, timeOfDay } from './words.js';

/** As many as the website keeps. */
const KEPT = 200;
const SERVICES = { '/sale/website': 'website', '/sale/queue': 'queue', '/sale/tickets': 'tickets', '/sale/payments': 'payments' };

/** The list of events, the newest first. `traceUi` is where traces can be read, or null. */
export class Events {
  #traceUi;
  #known = new Map();
  #times = new Map();

  constructor(traceUi) {
    this.#traceUi = traceUi;
  }

  /** Adds an event, unless it is there. */
  add(event) {
    const identity = JSON.stringify([event.source, event.id]);
    if (this.#known.has(identity)) return false;
    const item = this.#item(event);
    this.#known.set(identity, item);
    this.#times.set(event.type, event.time);
    const list = byId('events');
    const before = [...list.children].find((other) => Number(other.dataset.number) < event.number);
    list.insertBefore(item, before ?? null);
    if (this.#known.size > KEPT) {
      const [oldest] = this.#known.keys();
      this.#known.get(oldest).remove();
      this.#known.delete(oldest);
    }
    this.#count();
    return true;
  }

  /** When an event of this type came last, or undefined. */
  timeOf(type) {
    return this.#times.get(type);
  }

  /** How many are shown. */
  get size() {
    return this.#known.size;
  }

  /** Forgets them: another sale begins. */
  clear() {
    this.#known.clear();
    this.#times.clear();
    byId('events').replaceChildren();
    this.#count();
  }

  #count() {
    byId('events-count').textContent = this.size === KEPT ? `the last ${KEPT}` : this.size ? count(this.size, 'event') : 'none';
    byId('events-none').hidden = this.size > 0;
  }

  #item(event) {
    const details = h('details', {},
      h('summary', {},
        h('span', { class: 'type' }, breakable(event.type)),
        h('time', { datetime: event.time }, timeOfDay(event.time)),
        h('span', { class: 'about' },
          h('span', { class: 'source' }, event.source),
          h('span', { class: 'subject' }, event.subject || 'no subject'))));
    // Made when it is asked for, as few are read.
    details.addEventListener('toggle', () => {
      if (details.open && details.children.length === 1) details.append(this.#reading(event));
    });
    return h('li', { 'data-number': event.number, 'data-from': SERVICES[event.source] ?? 'process' }, details);
  }

  #reading(event) {
    const { id, source, type, subject, time, traceparent, data } = event;
    const whole = { specversion: '1.0', id, source, type, subject, time, traceparent: traceparent ?? undefined, data };
    const trace = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1];
    return h('div', { class: 'reading' },
      h('pre', { tabindex: 0, role: 'region', 'aria-label': `${event.type} as JSON` }, JSON.stringify(whole, null, 2)),
      trace && this.#traceUi
        ? h('a', { href: `${this.#traceUi.replace(/\/$/, '')}/trace/${trace}`, target: '_blank', rel: 'noopener' },
          'Its trace (opens a new tab)')
        : null);
  }
}

/** A type that may go on in a new line after each of its dots. */
function breakable(type) {
  return type.split(/(?<=\.)/).flatMap((part, index) => (index ? [h('wbr'), part] : [part]));
}
