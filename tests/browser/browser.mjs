// A headless browser, without what it would do by itself.
import { chromium } from 'playwright-core';

export const launch = (executablePath) => chromium.launch({
  executablePath,
  args: [
    '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    // A sandbox of its own is not to be had as root, as in a container.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ],
});
