// picture.mjs MODEL.bpmn PICTURE.svg...: draws each model as it is laid out. Each element is a group with
// its id as `data-element-id`, a flow with what it leads from and to, so that a page can show where an
// instance stands and which way it came; colours are attributes, not styles, so that a strict content
// security policy lets the picture into a page.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { read } from './moddle.mjs';
import { compensationMarker, eventSymbol, gatewaySymbol, taskSymbol } from './symbols.mjs';
import { escape, text } from './text.mjs';

const INK = '#22303c';
const MARGIN = 20;

const kebab = (type) => type.replace('bpmn:', '').replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();
const is = (element, type) => element.$instanceOf(type);
const middle = ({ x, y, width, height }) => [x + width / 2, y + height / 2];

function labelOf({ bpmnElement, label }) {
  if (!bpmnElement.name || !label?.bounds) return '';
  const [x, y] = middle(label.bounds);
  return text(bpmnElement.name, { x, y, width: label.bounds.width });
}

function event({ bpmnElement, bounds }) {
  const [x, y] = middle(bounds);
  const boundary = is(bpmnElement, 'bpmn:BoundaryEvent');
  const end = is(bpmnElement, 'bpmn:EndEvent');
  const twice = boundary || is(bpmnElement, 'bpmn:IntermediateCatchEvent') || is(bpmnElement, 'bpmn:IntermediateThrowEvent');
  const dashes = boundary && bpmnElement.cancelActivity === false ? ' stroke-dasharray="4 3"' : '';
  const [definition] = bpmnElement.eventDefinitions ?? [];
  return [
    `<circle class="outline" cx="${x}" cy="${y}" r="18" fill="#fff" stroke-width="${end ? 3.5 : 1.5}"${dashes}/>`,
    twice ? `<circle cx="${x}" cy="${y}" r="14.5" fill="none"${dashes}/>` : '',
    definition ? eventSymbol(definition, is(bpmnElement, 'bpmn:ThrowEvent'), x, y) : '',
  ].join('');
}

function gateway({ bpmnElement, bounds }) {
  const [x, y] = middle(bounds);
  const half = bounds.width / 2;
  const d = `M${x} ${y - half}L${x + half} ${y}L${x} ${y + half}L${x - half} ${y}Z`;
  return `<path class="outline" d="${d}" fill="#fff"/>${gatewaySymbol(bpmnElement, x, y)}`;
}

const box = ({ x, y, width, height }, radius, fill) =>
  `<rect class="outline" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="${fill}"/>`;

function task({ bpmnElement, bounds }) {
  const [x, y] = middle(bounds);
  return [
    box(bounds, 10, '#fff'),
    taskSymbol(bpmnElement, bounds.x + 15, bounds.y + 14),
    bpmnElement.isForCompensation ? compensationMarker(x, bounds.y + bounds.height - 11) : '',
    text(bpmnElement.name, { x, y, width: bounds.width - 12 }),
  ].join('');
}

function subProcess({ bpmnElement, bounds }) {
  const at = { x: bounds.x + 14, y: bounds.y + 17, width: bounds.width - 28, anchor: 'start', weight: 600 };
  return box(bounds, 12, '#f6f8fa') + text(bpmnElement.name, at);
}

function shape(drawn) {
  const { bpmnElement } = drawn;
  if (is(bpmnElement, 'bpmn:SubProcess')) return subProcess(drawn);
  if (is(bpmnElement, 'bpmn:Task')) return task(drawn);
  if (is(bpmnElement, 'bpmn:Gateway')) return gateway(drawn) + labelOf(drawn);
  if (is(bpmnElement, 'bpmn:Event')) return event(drawn) + labelOf(drawn);
  throw new Error(`no shape for ${bpmnElement.$type} ${bpmnElement.id}`);
}

function edge(drawn) {
  const association = is(drawn.bpmnElement, 'bpmn:Association');
  const d = drawn.waypoint.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const [before, last] = drawn.waypoint.slice(-2);
  const turned = (Math.atan2(last.y - before.y, last.x - before.x) * 180) / Math.PI;
  const head = `<path class="filled" d="M0 0L-9 -4.5V4.5Z" fill="${INK}" transform="translate(${last.x} ${last.y}) rotate(${turned})"/>`;
  const dots = association ? ' stroke-dasharray="1.5 4"' : '';
  return `<path class="outline" d="${d}" fill="none" stroke-linejoin="round"${dots}/>${association ? '' : head}${labelOf(drawn)}`;
}

function group(drawn) {
  const { bpmnElement } = drawn;
  const isEdge = drawn.$type === 'bpmndi:BPMNEdge';
  const classes = isEdge ? 'flow' : `element ${kebab(bpmnElement.$type)}`;
  const ends = is(bpmnElement, 'bpmn:SequenceFlow')
    ? ` data-from="${bpmnElement.sourceRef.id}" data-to="${bpmnElement.targetRef.id}"` : '';
  return `<g data-element-id="${bpmnElement.id}"${ends} class="${classes}">${isEdge ? edge(drawn) : shape(drawn)}</g>`;
}

// Sub-processes lie under what is in them, events on a border on top.
const depth = ({ $type, bpmnElement }) =>
  is(bpmnElement, 'bpmn:SubProcess') ? 0 : $type === 'bpmndi:BPMNEdge' ? 1 : is(bpmnElement, 'bpmn:BoundaryEvent') ? 3 : 2;

function corners(elements) {
  const points = elements.flatMap(({ bounds, label, waypoint = [] }) => [
    ...waypoint,
    ...[bounds, label?.bounds].filter(Boolean).flatMap(({ x, y, width, height }) => [{ x, y }, { x: x + width, y: y + height }]),
  ]);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, top] = [Math.floor(Math.min(...xs)) - MARGIN, Math.floor(Math.min(...ys)) - MARGIN];
  return [left, top, Math.ceil(Math.max(...xs)) + MARGIN - left, Math.ceil(Math.max(...ys)) + MARGIN - top];
}

async function picture(file) {
  const xml = await readFile(file, 'utf8');
  const { diagrams } = await read(xml);
  const { plane } = diagrams[0];
  const elements = plane.planeElement.toSorted((one, other) => depth(one) - depth(other));
  const view = corners(elements);
  const { name, documentation } = plane.bpmnElement;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${view.join(' ')}" width="${view[2]}" height="${view[3]}" role="img"
  data-model="${basename(file)}" data-model-sha256="${createHash('sha256').update(xml).digest('hex')}"
  font-family="system-ui, 'Liberation Sans', Arial, sans-serif" font-size="12" fill="${INK}">
<title>${escape(name)}</title>
<desc>${escape(documentation?.[0]?.text ?? '')}</desc>
<rect class="background" x="${view[0]}" y="${view[1]}" width="${view[2]}" height="${view[3]}" fill="#fff"/>
<g stroke="${INK}" stroke-width="1.5">
${elements.map(group).join('\n')}
</g>
</svg>
`;
}

const files = process.argv.slice(2);
for (let i = 0; i < files.length; i += 2) {
  await writeFile(files[i + 1], await picture(files[i]));
}
