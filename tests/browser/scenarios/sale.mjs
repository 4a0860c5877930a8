// What becomes of a sale.
import assert from 'node:assert/strict';

const ASKED_AND_HELD = [
  'Tickets.CustomerQueueJoined', 'Tickets.CustomerAdmitted', 'Tickets.Requested', 'Tickets.Held',
];

/** These are among the events, in any order: none is promised. */
function mustHave(types, ...wanted) {
  for (const type of wanted) assert.ok(types.includes(type), `${type} is not among ${types}`);
}

async function gone(customer, text) {
  await customer.sees('ended');
  await customer.reads('#messages li', text);
  await customer.reads('#process-state', 'ended');
}

export const scenarios = [
  {
    name: 'who pays gets the tickets, and sees the process move',
    async run(visit) {
      const ada = await visit();
      await ada.reads('#process-text', 'There is none yet');
      await ada.enter();
      await ada.reads('#process-state', 'running');
      await ada.page.locator('#diagram .here').first().waitFor();
      await ada.hold(3);
      assert.equal((await ada.texts('.seats li')).length, 3);
      assert.match((await ada.texts('.sum'))[0], /^€\d+\.\d\d$/);
      await ada.reads('#process-text', 'It waits at');
      await ada.reads('#deadline', 'left to pay');
      await ada.picture('held');
      await ada.press(/^Pay €/);
      await ada.sees('emitted');
      assert.equal((await ada.texts('.ticket .seat')).length, 3);
      await ada.reads('#process-state', 'ended');
      await ada.reads('#events .type', 'Notifications.Requested');
      mustHave(await ada.types(), ...ASKED_AND_HELD, 'Tickets.CheckedOut', 'Payments.RequestReceived', 'Payments.Authorized',
        'Tickets.EmissionRequested', 'Tickets.Emitted');
      assert.equal(await ada.page.locator('#diagram .here').count(), 0, 'a process that ended stands nowhere');
      assert.ok((await ada.page.locator('#diagram .element.passed').count()) > 5, 'what was passed is marked');
      await ada.press('Zoom out');
      await ada.picture('sale');
    },
  },
  {
    name: 'an event can be read, and leads to its trace',
    async run(visit) {
      const ada = await visit();
      const jaeger = 'http://127.0.0.1:16686';
      // As a website answers that was started with TRACE_UI_URL; nobody goes there.
      await ada.page.route('**/api/config', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), traceUi: `${jaeger}/` } });
      });
      await ada.page.reload();
      await ada.enter();
      const joined = ada.page.locator('#events li').filter({ hasText: 'Tickets.CustomerQueueJoined' });
      await joined.locator('summary').click();
      const event = JSON.parse(await joined.locator('pre').textContent());
      assert.equal(event.specversion, '1.0');
      assert.equal(event.source, '/sale/website');
      assert.equal(event.data.customer, 'Ada');
      assert.equal(event.data.session, event.subject);
      const link = await joined.getByRole('link', { name: /trace/ }).getAttribute('href');
      assert.equal(link, `${jaeger}/trace/${event.traceparent.split('-')[1]}`);
    },
  },
  {
    name: 'who does not decide loses the place, and is told before and after',
    async run(visit) {
      const bob = await visit();
      await bob.enter('Bob');
      await bob.reads('#deadline', 'left to choose');
      await bob.reads('#events .type', 'Notifications.Requested');
      await bob.sees('ended');
      await gone(bob, /./);
      mustHave(await bob.types(), 'Tickets.CustomerRemoved', 'Notifications.Requested');
      assert.ok((await bob.texts('#notifications li')).length >= 2, 'a reminder, and that time is up');
    },
  },
  {
    name: 'who does not check out in time loses what was held, and is not charged',
    async run(visit) {
      const cleo = await visit();
      await cleo.enter('Cleo');
      await cleo.hold(2);
      await gone(cleo, /./);
      const types = await cleo.types();
      mustHave(types, ...ASKED_AND_HELD, 'Tickets.ReleaseRequested', 'Tickets.Released', 'Notifications.Requested');
      assert.ok(!types.some((type) => type.startsWith('Payments.')), `a payment was asked for: ${types}`);
      await cleo.picture('timeout');
      await cleo.mustBeAccessible();
    },
  },
  {
    name: 'a card that is refused is not charged, and the seats are free again',
    async run(visit) {
      const dan = await visit();
      await dan.enter('Dan');
      await dan.hold(1);
      await dan.press('Refuse payment');
      await gone(dan, /./);
      const types = await dan.types();
      mustHave(types, ...ASKED_AND_HELD, 'Payments.Refused', 'Tickets.Released', 'Notifications.Requested');
      assert.ok(!types.includes('Tickets.Emitted') && !types.includes('Payments.Authorized'), `${types}`);
      await dan.picture('refused');
    },
  },
  {
    name: 'a payment that takes too long is given up, and nobody pays for nothing',
    async run(visit) {
      const eve = await visit();
      await eve.enter('Eve');
      await eve.hold(2);
      await eve.press('Pay slowly');
      await gone(eve, /./);
      const types = await eve.types();
      mustHave(types, 'Payments.CancelRequested', 'Tickets.Released', 'Notifications.Requested');
      assert.ok(types.includes('Payments.Cancelled') || types.includes('Payments.Refunded'), `${types}`);
      assert.ok(!types.includes('Tickets.Emitted'), `${types}`);
    },
  },
  {
    name: 'who leaves is gone, and may begin again',
    async run(visit) {
      const finn = await visit();
      await finn.enter('Finn');
      await finn.press('Leave the sale');
      await finn.reads('.view.ended h2', 'You have left');
      await finn.reads('#process-state', 'ended');
      await finn.press('Start over');
      await finn.sees('visiting');
      assert.deepEqual(await finn.types(), [], 'events of the sale before');
      await finn.enter('Finn');
      await finn.hold(1);
      await finn.press(/^Pay €/);
      await finn.sees('emitted');
    },
  },
  {
    name: 'a customer sees nothing of another',
    async run(visit) {
      const [gus, hal] = await Promise.all([visit(), visit()]);
      await Promise.all([gus.enter('Gus'), hal.enter('Hal')]);
      const sessions = async (customer) => new Set((await customer.texts('#events .subject')).filter((text) => text.startsWith('s-')));
      const [ofGus, ofHal] = [await sessions(gus), await sessions(hal)];
      assert.equal(ofGus.size, 1);
      assert.equal(ofHal.size, 1);
      assert.notDeepEqual(ofGus, ofHal);
    },
  },
];
