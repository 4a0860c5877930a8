// The shop: shows where the customer is, and orders what the customer wants.

import { order } from './api.js';
import { byId, h } from './dom.js';
import { STAGE, refresh, sentence, view, viewKey } from './steps.js';
import { timeOfDay } from './words.js';

/** How often the line is said aloud at most, while it moves. */
const SAY_EVERY_MS = 4_000;

/** The shop's side of the page; `maxTickets` is the most that may be asked for. */
export class Shop {
  #maxTickets;
  #key = null;
  #busy = false;
  #say = null;
  #heard = '';
  #told = '';

  constructor(maxTickets) {
    this.#maxTickets = maxTickets;
  }

  /** Shows a state of the customer. */
  show(state) {
    const desk = byId('desk');
    const key = viewKey(state);
    if (key !== this.#key) {
      const first = this.#key === null;
      const focused = desk.contains(document.activeElement);
      desk.replaceChildren(view(state, this.#maxTickets, (path, body) => this.#act(path, body)));
      this.#key = key;
      this.#trouble('');
      // What had the focus is gone: whoever uses the keyboard goes on where it was.
      if (focused && !first) desk.querySelector('h2').focus({ preventScroll: true });
    }
    refresh(desk, state);
    this.#stage(STAGE[state.step] ?? 0);
    this.#announce(sentence(state), state.step === 'waiting');
    this.#notifications(state.notifications ?? []);
  }

  async #act(path, body) {
    if (this.#busy) return;
    this.#busy = true;
    this.#trouble('');
    byId('desk').setAttribute('aria-busy', 'true');
    const key = this.#key;
    try {
      // The new state comes by the stream. The answer's may be older than what the stream has brought since.
      await order(path, body);
    } catch (error) {
      if (key === this.#key) this.#trouble(error.message);
    } finally {
      this.#busy = false;
      byId('desk').removeAttribute('aria-busy');
    }
  }

  #stage(stage) {
    [...byId('steps').children].forEach((item, index) => {
      item.className = index < stage ? 'done' : '';
      if (index === stage) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
  }

  #announce(text, moving) {
    if (text === this.#heard) return;
    this.#heard = text;
    clearTimeout(this.#say);
    this.#say = setTimeout(() => { byId('announcement').textContent = text; }, moving ? SAY_EVERY_MS : 0);
  }

  #trouble(text) {
    byId('trouble').textContent = text;
  }

  #notifications(notifications) {
    const told = JSON.stringify(notifications);
    if (told === this.#told) return;
    this.#told = told;
    byId('messages').hidden = notifications.length === 0;
    byId('notifications').replaceChildren(...notifications.toReversed().map((notification) =>
      h('li', { 'data-kind': notification.kind },
        h('time', { datetime: notification.time }, timeOfDay(notification.time)),
        h('p', {}, notification.text))));
  }
}
