// What breaks while somebody buys.
import assert from 'node:assert/strict';

const once = (types, type) => types.filter((other) => other === type).length === 1;

export const scenarios = [
  {
    name: 'the bridge is killed in the middle of a sale, and nothing is lost',
    async run(visit) {
      const ada = await visit();
      await ada.enter();
      await ada.hold(2);
      const seats = await ada.texts('.seats li');
      await ada.reads('#process-text', 'It waits at');
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
      await ada.picture('bridge');
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
