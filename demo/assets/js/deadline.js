// How much time is left in a step: the process counts it, and the page only tells.

import { byId } from './dom.js';
import { duration, minutes } from './words.js';

/** A step, the event that began it, and the variable of the process that says how long it may take. */
const STEPS = {
  shopping: { since: 'Tickets.CustomerAdmitted', variable: 'decideTimeout', text: 'left to choose' },
  held: { since: 'Tickets.Held', variable: 'checkoutTimeout', text: 'left to pay' },
  paying: { since: 'Tickets.CheckedOut', variable: 'paymentTimeout', text: 'until the payment is given up' },
};

/** Shows the time that is left. Call it every now and then. */
export function showDeadline(state, events, instance) {
  const step = STEPS[state?.step];
  const since = step && Date.parse(events.timeOf(step.since));
  const total = step && duration(instance?.variables?.[step.variable]);
  const known = Boolean(since && total);
  byId('deadline').hidden = !known;
  if (!known) return;
  const left = Math.max(0, Math.min(total, total - (Date.now() - since) / 1000));
  const bar = byId('deadline-bar');
  bar.max = total;
  bar.value = left;
  byId('deadline-text').textContent = left > 0 ? `${minutes(Math.ceil(left))} ${step.text}` : 'Time is up.';
}
