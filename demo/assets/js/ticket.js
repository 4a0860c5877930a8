// Draws a ticket.

import { h, svg } from './dom.js';

/** The ticket for one seat. */
export function ticket(state, seat) {
  return h('li', { class: 'ticket' },
    h('div', { class: 'face' },
      h('p', { class: 'over' }, 'Admit one'),
      h('p', { class: 'band' }, 'The Boundary Events'),
      h('p', { class: 'small-print' }, `Gateway Hall, tonight, 20:00`),
      h('p', { class: 'holder' }, state.customer ?? '')),
    h('div', { class: 'tear' },
      h('p', { class: 'over' }, 'Seat'),
      h('p', { class: 'seat' }, seat),
      bars(`${state.reservationId}/${seat}`)));
}

/** Bars that look like a code, the same for the same text. They are an ornament and hold nothing. */
function bars(text) {
  const picture = svg('svg', { class: 'bars', viewBox: '0 0 96 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  let seed = 7;
  for (const letter of text) seed = (seed * 31 + letter.codePointAt(0)) >>> 0;
  for (let x = 0; x < 94;) {
    seed = (seed * 1_103_515_245 + 12_345) >>> 0;
    const width = 1 + ((seed >>> 16) % 3);
    picture.append(svg('rect', { x, y: 0, width, height: 24 }));
    x += width + 1 + ((seed >>> 20) % 3);
  }
  return picture;
}
