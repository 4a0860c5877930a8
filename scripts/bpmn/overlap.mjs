// overlap.mjs FILE...: says which shapes of a diagram lie on each other; exit code 1 if any do.
import { readFile } from 'node:fs/promises';
import { read } from './moddle.mjs';

const overlap = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

function overlaps(diagram) {
  const shapes = diagram.plane.planeElement.filter(({ $type }) => $type === 'bpmndi:BPMNShape');
  return shapes.flatMap((one, i) =>
    shapes.slice(i + 1).filter((other) => {
      // What lies in a sub-process is shown inside it, or by itself when that is collapsed.
      if (one.bpmnElement.$parent !== other.bpmnElement.$parent) return false;
      // An event on the border of a task is meant to lie there.
      const attached = [one, other].some(({ bpmnElement }) => bpmnElement.attachedToRef);
      const sameHost = one.bpmnElement.attachedToRef === other.bpmnElement.attachedToRef;
      return overlap(one.bounds, other.bounds) && (!attached || sameHost);
    }).map((other) => `${one.bpmnElement.id} and ${other.bpmnElement.id}`),
  );
}

for (const file of process.argv.slice(2)) {
  const { diagrams } = await read(await readFile(file, 'utf8'));
  for (const pair of diagrams.flatMap(overlaps)) {
    console.error(`${file}: ${pair} overlap`);
    process.exitCode = 1;
  }
}
