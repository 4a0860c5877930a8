// layout.mjs FILE...: draws each model anew, in place. What the model says is not changed.
import { readFile, writeFile } from 'node:fs/promises';
import { layoutProcess } from 'bpmn-auto-layout';
import { moddle, read } from './moddle.mjs';

// The layouter puts all events on a task's border at the same place: spread them along its lower
// edge, and let their flows begin where they are now.
function spreadBoundaryEvents(definitions) {
  const elements = definitions.diagrams.flatMap((diagram) => diagram.plane.planeElement);
  const drawn = (element) => elements.find(({ bpmnElement }) => bpmnElement === element);
  for (const { bpmnElement: host, bounds } of elements) {
    const { x, width } = bounds ?? {};
    const events = elements.filter(({ bpmnElement }) => bpmnElement.attachedToRef === host);
    if (events.length < 2) continue;
    events.forEach((shape, i) => {
      const shift = x + (width * (i + 0.5)) / events.length - (shape.bounds.x + shape.bounds.width / 2);
      shape.bounds.x += shift;
      if (shape.label) shape.label.bounds.x += shift;
      for (const flow of shape.bpmnElement.outgoing ?? []) {
        const [first, second] = drawn(flow).waypoint;
        if (second.x === first.x) second.x += shift;
        first.x += shift;
      }
    });
  }
}

for (const file of process.argv.slice(2)) {
  const definitions = await read(await layoutProcess(await readFile(file, 'utf8')));
  spreadBoundaryEvents(definitions);
  const { xml } = await moddle.toXML(definitions, { format: true });
  await writeFile(file, xml);
  console.log(file);
}
