// The page: joins the shop, what the website pushes, and the process beside it.
//
// Nothing is kept here. A reload or a second tab shows the same, since all of it comes from the website.

import { read } from './js/api.js';
import { Bridge } from './js/bridge.js';
import { showDeadline } from './js/deadline.js';
import { Diagram } from './js/diagram.js';
import { byId } from './js/dom.js';
import { Events } from './js/events.js';
import { Process } from './js/process.js';
import { Shop } from './js/shop.js';
import { listen } from './js/stream.js';

const CONNECTION = { live: 'live', lost: 'connection lost, trying again', paused: 'paused' };
const TICK_MS = 500;

async function open() {
  const config = await patiently(() => read('/api/config'));
  const diagram = new Diagram();
  const events = new Events(config.traceUi);
  const shop = new Shop(config.maxTickets);
  const process = new Process(config.processView, diagram);
  let state = null;

  const show = (next) => {
    if (state && next.session !== state.session) events.clear();
    state = next;
    shop.show(state);
    process.follow(state.session, state.step !== 'visiting');
    showDeadline(state, events, process.instance);
  };

  new Bridge(config.controls, () => ({
    events: events.size, process: process.instance?.processInstanceKey ?? '', place: process.place,
  }));
  setInterval(() => showDeadline(state, events, process.instance), TICK_MS);
  // The sale does not wait for the picture.
  diagram.load('/diagram.svg').then(() => diagram.mark(process.instance), (error) => {
    byId('diagram').textContent = `There is no picture: ${error.message}`;
  });
  show(await patiently(() => read('/api/me')));
  listen({
    state: show,
    event: (event) => { if (events.add(event)) process.look(); },
    connection: (how) => {
      byId('connection').textContent = CONNECTION[how];
      byId('connection').dataset.state = how;
    },
  });
}

/** Tries until it works: the page may be open before the website is. */
async function patiently(attempt) {
  for (let pause = 500; ; pause = Math.min(pause * 2, 8_000)) {
    try {
      return await attempt();
    } catch (error) {
      byId('trouble').textContent = error.message;
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
  }
}

open();
