// overlap.mjs FILE...: says which shapes of a diagram lie on each other; exit code 1 if any do.
import { readFile } from 'node:fs/promises';
import { read } from './moddle.mjs';

const overlap = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

let found = 0;
for (const file of process.argv.slice(2)) {
  const definitions = await read(await readFile(file, 'utf8'));
  const shapes = definitions.diagrams
    .flatMap((diagram) => diagram.plane.planeElement)
    .filter((element) => element.$type === 'bpmndi:BPMNShape');
  shapes.forEach((one, i) => {
    for (const other of shapes.slice(i + 1)) {
      // An event on the border of a task is meant to lie there.
      const attached = [one, other].some(({ bpmnElement }) => bpmnElement.attachedToRef);
      const sameHost = one.bpmnElement.attachedToRef === other.bpmnElement.attachedToRef;
      if (overlap(one.bounds, other.bounds) && (!attached || sameHost)) {
        console.error(`${file}: ${one.bpmnElement.id} and ${other.bpmnElement.id} overlap`);
        found += 1;
      }
    }
  });
}
process.exitCode = found > 0 ? 1 : 0;
