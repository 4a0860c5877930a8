// main.mjs CHROMIUM URL [--screenshots DIR] [--only TEXT]: the scenarios against a demo that runs.
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';
import { Shop } from './shop.mjs';
import { run } from './runner.mjs';
import * as access from './scenarios/access.mjs';
import * as faults from './scenarios/faults.mjs';
import * as sale from './scenarios/sale.mjs';

/** Customers who shop at the same time: most of the time is spent waiting for the process's timers. */
const AT_ONCE = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { screenshots: { type: 'string' }, only: { type: 'string' } },
});
const [executablePath, url] = positionals;
if (values.screenshots) await mkdir(values.screenshots, { recursive: true });

const browser = await launch(executablePath);
let failed = 1;
try {
  const shop = new Shop(browser, url, values.screenshots);
  await shop.open();
  const wanted = (scenario) => !values.only || scenario.name.includes(values.only);
  failed = await run(shop, [
    { atOnce: AT_ONCE, scenarios: [...sale.scenarios, ...access.scenarios].filter(wanted) },
    // What is done to the demo itself is done alone.
    { atOnce: 1, scenarios: faults.scenarios.filter(wanted) },
  ]);
} finally {
  await browser.close();
}
process.exitCode = failed ? 1 : 0;
