// What breaks, and who comes in crowds, while somebody buys.
import assert from 'node:assert/strict';

/** More than may shop at one time: SHOP_SEATS in demo/stage.yaml, and three. */
const CROWD = 8;

const once = (types, type) => types.filter((other) => other === type).length === 1;

export const scenarios = [
  {
    name: 'who comes when the shop is full waits in line, sees it move, and is let in',
    async run(visit) {
      const crowd = [];
      for (let number = 1; number <= CROWD; number += 1) {
        const customer = await visit();
        await customer.page.getByLabel('Your name').fill(`Number ${number}`);
        crowd.push(customer);
      }
      // When all are there: who is let in and chooses nothing stays for half a minute, and a page may take long to come.
      const last = crowd.at(-1);
      const before = crowd.slice(0, -1);
      for (const customer of before) await customer.press('Join the line');
      for (const customer of before) await customer.page.locator('.view.waiting, .view.shopping').waitFor();
      await last.press('Join the line');
      await last.reads('.view.waiting .ahead', /^[1-9]\d* customers? ahead of you/);
      const [place] = await last.texts('.ahead');
      const [first] = crowd;
      await first.press('Leave the sale');
      await last.page.locator('.view.shopping').or(last.page.locator('.ahead').filter({ hasNotText: place })).waitFor();
      for (const customer of crowd.slice(1, -1)) {
        await customer.page.locator('.view.shopping, .view.ended').waitFor();
        const leave = customer.page.getByRole('button', { name: 'Leave the sale' });
        // The process may have ended it before.
        if (await leave.isVisible()) await leave.click({ timeout: 5_000 }).catch(() => {});
      }
      await last.sees('shopping');
    },
  },
  {
    name: 'the bridge is killed in the middle of a sale, and nothing is lost',
    async run(visit) {
      const ada = await visit();
      await ada.enter();
      await ada.hold(2);
      const seats = await ada.texts('.seats li');
      await ada.reads('#process-text', 'It waits at “Checked out”');
      await ada.press('Kill the bridge and see nothing lost');
      await ada.reads('#killed li', 'Killed (kill -9');
      await ada.press(/^Pay €/);
      await ada.reads('#killed li', 'Ready again after');
      await ada.reads('#killed li', 'Nothing is lost: the same process goes on');
      await ada.sees('emitted');
      assert.deepEqual(await ada.texts('.ticket .seat'), seats);
      await ada.reads('#process-state', 'ended');
      const types = await ada.types();
      for (const type of ['Tickets.CheckedOut', 'Payments.Authorized', 'Tickets.Emitted']) {
        assert.ok(once(types, type), `${type} is there once, among ${types}`);
      }
      await ada.mustBeAccessible();
      await ada.picture('bridge', { fullPage: true });
    },
  },
  {
    name: 'the website is killed, and the page finds its way back to the sale',
    async run(visit, shop) {
      const ada = await visit();
      ada.expect('Failed to load resource');
      await ada.enter();
      await ada.hold(2);
      const seats = await ada.texts('.seats li');
      await shop.kill('website');
      await ada.reads('#connection', 'connection lost');
      await ada.reads('#connection', 'live');
      await ada.press(/^Pay €/);
      await ada.sees('emitted');
      assert.deepEqual(await ada.texts('.ticket .seat'), seats);
    },
  },
  {
    name: 'an incident is shown where it is, with its reason',
    async run(visit, shop) {
      const ada = await visit();
      // The process view's own answer, to which an incident is added: none happens in a demo that is well.
      await ada.page.route(`${shop.config.processView}/**`, async (route) => {
        const response = await route.fetch();
        const instances = await response.json();
        for (const instance of instances) {
          instance.incidents = [{ incidentKey: '1', elementId: 'ChooseTickets', errorType: 'JOB_NO_RETRIES', message: '503 for <b>all</b>' }];
        }
        await route.fulfill({ response, json: instances });
      });
      await ada.enter();
      await ada.reads('#process-state', 'incident');
      await ada.reads('#process-text', 'It needs an operator. “Choose tickets”: 503 for <b>all</b>');
      assert.equal(await ada.page.locator('#diagram .element.failed').count(), 1);
      await ada.mustBeAccessible();
    },
  },
  {
    name: 'the process view is away: the page says so, and the sale goes on',
    async run(visit, shop) {
      const ada = await visit();
      ada.expect('Failed to load resource');
      await ada.page.route(`${shop.config.processView}/**`, (route) => route.abort());
      await ada.enter();
      await ada.reads('#process-text', 'The process view does not answer');
      await ada.hold(1);
      await ada.press(/^Pay €/);
      await ada.sees('emitted');
      await ada.page.unroute(`${shop.config.processView}/**`);
      await ada.reads('#process-state', 'ended');
    },
  },
];
