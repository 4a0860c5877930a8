// Who comes back, who has another window, who uses the keyboard only, who hears the page.
import assert from 'node:assert/strict';
import { DESK, PHONE } from '../shop.mjs';

const MOST_TABS = 80;

/** Presses Tab until what has the focus says this; each stop on the way must be seen to have it. */
async function tabTo(page, wanted) {
  const stops = [];
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      const shown = element.matches('.numbers input') ? element.nextElementSibling : element;
      const name = element.labels?.[0]?.textContent || element.getAttribute('aria-label') || element.textContent;
      return { name: name.trim(), outlined: getComputedStyle(shown).outlineStyle !== 'none', body: element === document.body };
    });
    if (tabs > 0 && !stop.body) assert.ok(stop.outlined, `the focus on “${stop.name}” is not seen`);
    if (tabs > 0 && wanted.test(stop.name)) return;
    stops.push(stop.name.slice(0, 40));
    await page.keyboard.press('Tab');
  }
  throw new Error(`no Tab leads to ${wanted}, but to: ${[...new Set(stops)].join(', ')}`);
}

/** A browser tells a page so when another tab is before it, which a headless one never does. */
async function seen(page, state) {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

export const scenarios = [
  {
    name: 'a reload and a second tab show the same, and act on the same sale',
    async run(visit) {
      const ada = await visit();
      await ada.enter();
      await ada.hold(2);
      await ada.reads('#events .type', 'Tickets.Held');
      const before = { seats: await ada.texts('.seats li'), types: await ada.types() };
      await ada.page.reload();
      await ada.sees('held');
      await ada.reads('#events .type', 'Tickets.Held');
      assert.deepEqual(await ada.texts('.seats li'), before.seats);
      const tab = await ada.look();
      await ada.sees('held', tab);
      await ada.reads('#events .type', 'Tickets.Held', tab);
      for (const page of [ada.page, tab]) {
        const types = await ada.types(page);
        assert.deepEqual(types.slice(0, before.types.length), before.types);
        assert.equal(types.filter((type) => type === 'Tickets.Held').length, 1);
      }
      await ada.press(/^Pay €/, tab);
      await Promise.all([ada.sees('emitted'), ada.sees('emitted', tab)]);
      await tab.reload();
      await ada.sees('emitted', tab);
      assert.deepEqual(await ada.texts('.ticket .seat', tab), before.seats);
    },
  },
  {
    name: 'a tab that nobody sees holds no connection, and catches up with each event once',
    async run(visit) {
      const ada = await visit();
      await ada.enter();
      await ada.hold(1);
      await seen(ada.page, 'hidden');
      await ada.reads('#connection', 'paused');
      const tab = await ada.look();
      await ada.press(/^Pay €/, tab);
      await ada.sees('emitted', tab);
      assert.equal(await ada.page.locator('.view.held').count(), 1, 'the hidden tab still listens');
      await seen(ada.page, 'visible');
      await ada.sees('emitted');
      await ada.reads('#events .type', 'Tickets.Emitted');
      // Reminders may be more than one.
      const types = (await ada.types()).filter((type) => type !== 'Notifications.Requested');
      assert.equal(types.length, new Set(types).size, `one of them is there twice: ${types}`);
    },
  },
  {
    name: 'the keyboard is enough for a whole sale and for reading an event',
    async run(visit) {
      const ada = await visit();
      const { page } = ada;
      await tabTo(page, /^Skip to the process$/);
      await tabTo(page, /^Your name$/);
      await page.keyboard.type('Ada');
      await page.keyboard.press('Enter');
      await ada.sees('shopping');
      await tabTo(page, /^2$/);
      await page.keyboard.press('ArrowRight');
      await tabTo(page, /^Hold them for me$/);
      await page.keyboard.press('Enter');
      await ada.sees('held');
      assert.equal((await ada.texts('.seats li')).length, 3);
      await tabTo(page, /^Pay €/);
      await page.keyboard.press('Enter');
      await ada.sees('emitted');
      await tabTo(page, /^Buy again$/);
      await tabTo(page, /Diagram of the process/);
      await tabTo(page, /^Tickets\./);
      await page.keyboard.press('Enter');
      await page.locator('#events pre').waitFor();
      await tabTo(page, /as JSON$/);
      await tabTo(page, /^Kill the bridge/);
    },
  },
  {
    name: 'a phone shows all of it without scrolling sideways',
    async run(visit) {
      const ada = await visit(PHONE);
      await ada.mustFit();
      await ada.enter();
      await ada.mustFit();
      await ada.hold(6);
      await ada.mustFit();
      await ada.reads('#deadline', 'left to pay');
      await ada.picture('phone');
      await ada.press(/^Pay €/);
      await ada.sees('emitted');
      await ada.page.locator('#events summary').first().click();
      await ada.mustFit();
      await ada.mustBeAccessible();
    },
  },
  ...['light', 'dark'].map((colorScheme) => ({
    name: `nothing is in the way of who sees little or hears the page (${colorScheme})`,
    async run(visit) {
      const ada = await visit({ ...DESK, colorScheme, reducedMotion: 'reduce' });
      await ada.mustBeAccessible();
      await ada.enter();
      await ada.mustBeAccessible();
      await ada.hold(2);
      await ada.mustBeAccessible();
      await ada.reads('#announcement', 'Held for you');
      await ada.press(/^Pay €/);
      await ada.sees('emitted');
      await ada.reads('#announcement', 'You have your tickets');
      await ada.page.locator('#events summary').first().click();
      await ada.mustBeAccessible();
    },
  })),
  {
    name: 'a name that is markup stays a name',
    async run(visit) {
      const name = '<img src=x onerror=alert(1)>';
      const eve = await visit();
      await eve.enter(name);
      await eve.hold(1);
      await eve.press(/^Pay €/);
      await eve.sees('emitted');
      assert.deepEqual(await eve.texts('.ticket .holder'), [name]);
      assert.equal(await eve.page.locator('main img').count(), 0);
    },
  },
];
