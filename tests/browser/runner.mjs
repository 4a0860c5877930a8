// Runs scenarios and says how they ended.

/** Runs groups of `{name, run}`, each group `atOnce` at a time; says how many failed. */
export async function run(shop, groups) {
  const results = [];
  for (const { atOnce, scenarios } of groups) {
    const waiting = [...scenarios];
    const lane = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) results.push(await attempt(shop, next));
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  }
  const failed = results.filter((passed) => !passed).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  // A run that tests nothing proves nothing.
  return results.length ? failed : 1;
}

async function attempt(shop, { name, run: play }) {
  const began = performance.now();
  const customers = [];
  const visit = async (options) => {
    const customer = await shop.visit(options);
    customers.push(customer);
    return customer;
  };
  let error = null;
  try {
    await play(visit, shop);
    for (const customer of customers) customer.mustBeClean();
  } catch (cause) {
    error = cause;
    for (const customer of customers) await customer.describe(name);
  }
  for (const customer of customers) await customer.close();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${error ? 'FAIL' : 'ok'}  ${name} (${seconds} s)`);
  if (error) console.log(`      ${error.stack ?? error}`.replaceAll('\n', '\n      '));
  return !error;
}
