// The demo that is tested, and the customers who visit it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Customer } from './customer.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Windows that customers look through. */
export const DESK = { viewport: { width: 1440, height: 1280 } };
export const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** The demo at a URL. */
export class Shop {
  constructor(browser, url, screenshots) {
    this.browser = browser;
    this.url = new URL(url);
    this.screenshots = screenshots;
    this.config = null;
    this.axe = null;
  }

  /** Reads what the page may speak to: the website, the process view and the controls, and nobody else. */
  async open() {
    const answer = await fetch(new URL('/api/config', this.url)).catch((error) => {
      throw new Error(`no website at ${this.url}: ${error.cause?.message ?? error.message}`);
    });
    if (!answer.ok) throw new Error(`${this.url}api/config answered ${answer.status}`);
    this.config = await answer.json();
    for (const part of ['processView', 'controls']) {
      if (!this.config[part]) throw new Error(`the demo has no ${part}: start it by \`make browser\` or \`make demo\``);
    }
    this.axe = await readFile(AXE, 'utf8');
  }

  get origins() {
    return [this.url.href, this.config.processView, this.config.controls].map((address) => new URL(address).origin);
  }

  /** A customer with a browser of their own, who has the page open. */
  async visit(options = DESK) {
    const context = await this.browser.newContext({ ...options, locale: 'en' });
    const customer = new Customer(this, context);
    await customer.look();
    return customer;
  }

  /** Kills a program of the demo; it is started again. */
  async kill(program) {
    const answer = await fetch(new URL(`/programs/${program}/kill`, this.config.controls), {
      method: 'POST', headers: { 'X-Stage': '1', Origin: this.url.origin },
    });
    if (!answer.ok) throw new Error(`the controls answered ${answer.status}: ${await answer.text()}`);
  }

  /** Where a screenshot of this name goes, or null. */
  screenshot(name) {
    return this.screenshots ? join(this.screenshots, `${name}.png`) : null;
  }
}
