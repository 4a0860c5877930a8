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
    this.axe = await readFile(AXE, 'utf8');
  }

  get origins() {
    return [this.url.href, this.config.processView, this.config.controls]
      .filter(Boolean).map((address) => new URL(address).origin);
  }

  /** A customer with a browser of their own, who has the page open. */
  async visit(options = DESK) {
    const context = await this.browser.newContext({ ...options, locale: 'en' });
    const customer = new Customer(this, context);
    await customer.look();
    return customer;
  }

  /** Where a screenshot of this name goes, or null. */
  screenshot(name) {
    return this.screenshots ? join(this.screenshots, `${name}.png`) : null;
  }
}
