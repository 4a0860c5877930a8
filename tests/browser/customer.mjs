// A customer before the page: does what one can do there, and waits for what one can see.
import assert from 'node:assert/strict';

/** Longer than any timer of the demo's process, on a slow machine too. */
const PATIENCE_MS = 120_000;
/** Of what axe finds, this must not be on the page. */
const GRAVE = ['serious', 'critical'];

/** One customer: a browser context, in it one page or more. */
export class Customer {
  #shop;
  #context;
  #wrong = [];
  #expected = [];

  constructor(shop, context) {
    this.#shop = shop;
    this.#context = context;
    this.page = null;
    context.setDefaultTimeout(PATIENCE_MS);
    context.on('page', (page) => this.#watch(page));
  }

  /** Opens the page, in a tab of its own; `before(page)` may prepare it. */
  async look(before = () => {}) {
    const page = await this.#context.newPage();
    await before(page);
    await page.goto(this.#shop.url.href);
    await page.locator('.view').waitFor();
    this.page ??= page;
    return page;
  }

  /** Errors whose text has this are part of the scenario. */
  expect(text) {
    this.#expected.push(text);
  }

  /** Joins the line and waits to be let into the shop. */
  async enter(name = 'Ada') {
    await this.page.getByLabel('Your name').fill(name);
    await this.press('Join the line');
    await this.sees('shopping');
  }

  /** Has tickets held. */
  async hold(tickets) {
    await this.page.locator('.numbers label').nth(tickets - 1).click();
    await this.press('Hold them for me');
    await this.sees('held');
  }

  /** Presses a button by what it says. */
  async press(name, page = this.page) {
    await page.getByRole('button', { name }).click();
  }

  /** Waits for a step of the sale. */
  async sees(step, page = this.page) {
    await page.locator(`.view.${step}`).waitFor();
  }

  /** Waits until an element shows a text. */
  async reads(selector, text, page = this.page) {
    await page.locator(selector).filter({ hasText: text }).first().waitFor();
  }

  /** The texts of elements that are there now. */
  async texts(selector, page = this.page) {
    return (await page.locator(selector).allTextContents()).map((text) => text.trim());
  }

  /** The types of the events that are shown, the oldest first. */
  async types(page = this.page) {
    return (await this.texts('#events .type', page)).reverse();
  }

  /** Nothing grave by axe's rules, as the page is now. */
  async mustBeAccessible(page = this.page) {
    // What is still fading in has not its colours yet.
    await page.evaluate(() => Promise.allSettled(document.getAnimations()
      .filter((animation) => Number.isFinite(animation.effect.getComputedTiming().endTime))
      .map((animation) => animation.finished)));
    const found = await page.evaluate(`${this.#shop.axe}; axe.run(document, { resultTypes: ['violations'] })`);
    const grave = found.violations.filter(({ impact }) => GRAVE.includes(impact));
    assert.deepEqual(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
    assert.ok(found.passes.length > 0, 'axe has looked at nothing');
  }

  /** The page is no wider than the window. */
  async mustFit(page = this.page) {
    const [width, window] = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
    assert.ok(width <= window, `the page is ${width} px wide in a window of ${window} px`);
  }

  /** No error was logged, and nobody was asked but who may be. */
  mustBeClean() {
    const wrong = this.#wrong.filter((text) => !this.#expected.some((expected) => text.includes(expected)));
    assert.deepEqual(wrong, []);
  }

  /** A picture of the page as it is, if pictures are wanted. */
  async picture(name, options = {}, page = this.page) {
    const path = this.#shop.screenshot(name);
    // What moves stands still at its end.
    if (path) await page.screenshot({ path, animations: 'disabled', ...options });
  }

  /** Says what the pages show, for who must find out why a scenario failed. */
  async describe(scenario) {
    for (const [index, page] of this.#context.pages().entries()) {
      const text = await page.locator('body').innerText({ timeout: 2_000 }).catch((error) => error.message);
      console.log(`--- ${scenario}, page ${index + 1} (${page.url()})\n${text.replace(/\n+/g, '\n')}\n---`);
    }
    for (const text of this.#wrong) console.log(`--- ${scenario}: ${text}`);
  }

  async close() {
    // What a scenario answers in the server's place may be under way still.
    await Promise.all(this.#context.pages().map((page) => page.unrouteAll({ behavior: 'ignoreErrors' })));
    await this.#context.close();
  }

  #watch(page) {
    page.on('pageerror', (error) => this.#wrong.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.#wrong.push(`console: ${message.text()} ${message.location().url}`);
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol !== 'data:' && !this.#shop.origins.includes(origin)) this.#wrong.push(`a request to ${request.url()}`);
    });
  }
}
