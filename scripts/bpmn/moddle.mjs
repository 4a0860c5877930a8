// Reads and writes models with Zeebe's and the Modeler's extensions known, so that none is lost.
import { createRequire } from 'node:module';
import { BpmnModdle } from 'bpmn-moddle';

const require = createRequire(import.meta.url);

export const moddle = new BpmnModdle({
  zeebe: require('zeebe-bpmn-moddle/resources/zeebe.json'),
  modeler: require('modeler-moddle/resources/modeler.json'),
});

export async function read(xml) {
  const { rootElement, warnings } = await moddle.fromXML(xml);
  if (warnings.length > 0) {
    throw new Error(warnings.map((warning) => warning.message).join('\n'));
  }
  return rootElement;
}
