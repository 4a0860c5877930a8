// models.mjs CHROMIUM FILE...: opens each model in bpmn-js, the editor in Camunda Modeler, with the extensions that the
// Modeler knows; a warning of its importer, or an element that it does not draw, is a failure.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { launch } from './browser.mjs';

const require = createRequire(import.meta.url);
const extensions = {
  zeebe: require('zeebe-bpmn-moddle/resources/zeebe.json'),
  modeler: require('modeler-moddle/resources/modeler.json'),
};

/** Runs in the page: what is wrong with a model, in words. */
async function open({ xml, moddleExtensions }) {
  const wrong = [];
  const load = async (text, when) => {
    const editor = new BpmnJS({ container: document.body, moddleExtensions });
    try {
      const { warnings } = await editor.importXML(text);
      wrong.push(...warnings.map(({ message }) => `${when}: ${message}`));
      const drawn = editor.get('elementRegistry');
      const missing = [...text.matchAll(/ bpmnElement="([^"]+)"/g)].map(([, id]) => id).filter((id) => !drawn.get(id));
      wrong.push(...missing.map((id) => `${when}: ${id} is not drawn`));
      return (await editor.saveXML({ format: true })).xml;
    } catch (cause) {
      wrong.push(`${when}: ${cause.message}`);
      return null;
    } finally {
      editor.destroy();
    }
  };
  const saved = await load(xml, 'opened');
  if (saved) await load(saved, 'saved and opened again');
  return wrong;
}

const [executablePath, ...files] = process.argv.slice(2);
const browser = await launch(executablePath);
try {
  const page = await browser.newPage();
  await page.addScriptTag({ path: require.resolve('bpmn-js/dist/bpmn-modeler.development.js') });
  for (const file of files) {
    const wrong = await page.evaluate(open, { xml: await readFile(file, 'utf8'), moddleExtensions: extensions });
    for (const what of wrong) console.error(`${file}: ${what}`);
    if (wrong.length) process.exitCode = 1;
  }
  if (!process.exitCode) console.log(`${files.length} models were opened as Camunda Modeler does`);
} finally {
  await browser.close();
}
