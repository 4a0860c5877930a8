// What the shop shows in each step of a sale. Each view is made anew when the step changes, and not before:
// what somebody is typing or has focused stays.

import { h } from './dom.js';
import { ticket } from './ticket.js';
import { count, money } from './words.js';

/** How far on the way each step is: line, choose, pay, tickets. */
export const STAGE = {
  visiting: 0, joining: 0, waiting: 0, shopping: 1, requested: 1, held: 2, paying: 2, emitted: 3, ended: -1,
};

/** Steps in which the customer may still walk away. */
const MAY_LEAVE = ['waiting', 'shopping', 'requested', 'held'];

const ENDINGS = {
  removed: ['Your place is gone', 'It went to the next in line.'],
  left: ['You have left', 'Come back any time.'],
  'sold-out': ['Sold out', 'There are not enough seats left for you. Nothing was charged.'],
  released: ['No tickets this time', 'What was held for you is free again. You were not charged, or have your money back.'],
};

/** What is known of the customer's money where that does not follow from the ending. */
function ownMoney(state) {
  if (!['removed', 'left'].includes(state.outcome)) return '';
  if (!state.reservationId) return 'Nothing was charged.';
  return state.settled
    ? 'What was held for you is free again. You were not charged, or have your money back.'
    : 'What was held for you is given back. If your payment was faster, you get the tickets, here.';
}

/** What the view of a state hangs on: the same text, the same view. */
export function viewKey(state) {
  return JSON.stringify([state.session, state.step, state.reservationId, state.seats, state.amount, state.outcome,
    state.reason, state.tickets, state.settled]);
}

/** The view of a state. `act(path, body)` orders; `maxTickets` is the most that may be asked for. */
export function view(state, maxTickets, act) {
  const make = VIEWS[state.step] ?? VIEWS.joining;
  const leave = MAY_LEAVE.includes(state.step)
    ? [h('button', { type: 'button', class: 'plain', click: () => act('/api/leave') }, 'Leave the sale')]
    : [];
  return h('div', { class: `view ${state.step}` }, make(state, act, maxTickets), leave);
}

/** The state in one sentence, for who hears the page. */
export function sentence(state) {
  switch (state.step) {
    case 'visiting': return 'You are not in line yet.';
    case 'joining': return 'You are joining the line.';
    case 'waiting': return `You are in line. ${ahead(state)}`;
    case 'shopping': return 'You are in the shop. Choose how many tickets you want.';
    case 'requested': return `Looking for ${count(state.tickets ?? 0, 'seat')}.`;
    case 'held': return `Held for you: ${list(state.seats)}, ${money(state.amount, state.currency)} together. Choose how to pay.`;
    case 'paying': return 'Your payment is under way.';
    case 'emitted': return `You have your tickets: ${list(state.seats)}.`;
    default: return `${ending(state)[0]}. ${state.reason ?? ''}`;
  }
}

/** Puts into a view what moves while its step stays. */
export function refresh(element, state) {
  if (state.step !== 'waiting') return;
  element.querySelector('.count').textContent = state.ahead ?? '…';
  element.querySelector('.ahead').textContent = ahead(state);
  element.querySelector('.number').textContent = state.number ? `Your number is ${state.number}.` : '';
  element.querySelector('.line').replaceChildren(...people(state.ahead ?? 0));
}

const VIEWS = {
  visiting: (state, act) => {
    const name = h('input', {
      id: 'name', name: 'name', type: 'text', required: true, maxlength: 60, autocomplete: 'given-name', placeholder: 'Ada',
    });
    const submit = (event) => {
      event.preventDefault();
      if (name.value.trim()) act('/api/join', { customer: name.value.trim() });
      else name.focus();
    };
    return [
      heading('Get in line'),
      h('p', {}, 'First come, first served. Nothing is charged: the cards here are not real.'),
      h('form', { submit },
        h('label', { for: 'name' }, 'Your name'),
        h('div', { class: 'row' }, name, h('button', { type: 'submit', class: 'primary' }, 'Join the line'))),
    ];
  },

  joining: () => [heading('Joining the line'), busy('The queue is asked for your number.')],

  waiting: (state) => [
    heading('You are in line'),
    h('p', { class: 'count', 'aria-hidden': 'true' }, state.ahead ?? '…'),
    h('p', { class: 'ahead' }, ahead(state)),
    h('div', { class: 'line', 'aria-hidden': 'true' }, people(state.ahead ?? 0)),
    h('p', { class: 'quiet number' }, state.number ? `Your number is ${state.number}.` : ''),
  ],

  shopping: (state, act, maxTickets) => {
    const options = Array.from({ length: maxTickets }, (_, index) => index + 1);
    const submit = (event) => {
      event.preventDefault();
      act('/api/request', { tickets: Number(new FormData(event.target).get('tickets')) });
    };
    return [
      heading('How many tickets?'),
      h('form', { submit },
        h('fieldset', { class: 'numbers' },
          h('legend', { class: 'unseen' }, 'Tickets'),
          options.map((option) => h('label', {},
            h('input', { type: 'radio', name: 'tickets', value: option, checked: option === Math.min(2, maxTickets) }),
            h('span', {}, option)))),
        h('button', { type: 'submit', class: 'primary wide' }, 'Hold them for me')),
    ];
  },

  requested: (state) => [heading('Looking for seats'), busy(`The ticket office looks for ${count(state.tickets ?? 0, 'seat')}.`)],

  held: (state, act) => [
    heading('Held for you'),
    seats(state),
    h('button', { type: 'button', class: 'primary wide', click: () => act('/api/checkout', { card: 'valid' }) },
      `Pay ${money(state.amount, state.currency)}`),
    h('div', { class: 'cards', role: 'group', 'aria-label': 'Cards that make trouble' },
      h('p', { class: 'quiet' }, 'Or see what the process does when it goes wrong:'),
      h('button', { type: 'button', click: () => act('/api/checkout', { card: 'slow' }) }, 'Pay slowly'),
      h('button', { type: 'button', click: () => act('/api/checkout', { card: 'refused' }) }, 'Refuse payment')),
  ],

  paying: (state) => [
    heading('Paying'),
    seats(state),
    busy('Your bank is asked. You have the tickets as soon as it answers.'),
  ],

  emitted: (state, act) => [
    heading(state.customer ? `Enjoy the show, ${state.customer}` : 'Enjoy the show'),
    h('p', {}, `Paid: ${money(state.amount, state.currency)}.`),
    h('ul', { class: 'tickets', 'aria-label': 'Your tickets' }, (state.seats ?? []).map((seat) => ticket(state, seat))),
    again(act, 'Buy again'),
  ],

  ended: (state, act) => {
    const [title, text] = ending(state);
    return [
      heading(title),
      state.reason ? h('p', { class: 'reason' }, upper(state.reason)) : null,
      h('p', {}, text),
      h('p', {}, ownMoney(state)),
      again(act, 'Start over'),
    ];
  },
};

function heading(text) {
  return h('h2', { tabindex: -1 }, text);
}

function busy(text) {
  return h('p', { class: 'busy' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), text);
}

function again(act, text) {
  return h('button', { type: 'button', class: 'primary wide', click: () => act('/api/again') }, text);
}

function seats(state) {
  return h('div', { class: 'bill' },
    h('ul', { class: 'seats', 'aria-label': 'Seats' }, (state.seats ?? []).map((seat) => h('li', {}, seat))),
    h('p', { class: 'sum' }, money(state.amount, state.currency)));
}

function people(ahead) {
  const shown = Math.min(ahead, 11);
  return [
    ...Array.from({ length: shown }, (_, index) => h('span', { class: index === 0 && ahead > shown ? 'person many' : 'person' })),
    h('span', { class: 'person you' }),
  ];
}

function ahead(state) {
  if (state.ahead == null) return 'Your place in line is on its way.';
  return state.ahead === 0 ? 'Nobody is ahead of you: you are next.' : `${count(state.ahead, 'customer')} ahead of you.`;
}

function ending(state) {
  return ENDINGS[state.outcome] ?? ['The sale is over', 'You can start over.'];
}

function list(seats) {
  return (seats ?? []).join(', ');
}

function upper(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}
