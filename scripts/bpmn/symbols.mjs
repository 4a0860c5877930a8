// The signs inside events, tasks and gateways, drawn around 0,0 and moved to their place.
const at = (x, y, content) => `<g class="symbol" transform="translate(${x} ${y})">${content}</g>`;
const line = (d) => `<path d="${d}" fill="none"/>`;
const filled = (d) => `<path d="${d}" class="filled" fill="#22303c"/>`;
// Of what is thrown the sign is filled, of what is caught it is not.
const shape = (d, thrown) => (thrown ? filled(d) : line(d));

const envelope = (w, h) => line(`M${-w} ${-h}H${w}V${h}H${-w}ZM${-w} ${-h}L0 ${h * 0.15}L${w} ${-h}`);

function clock() {
  const ticks = [...Array(12).keys()].map((i) => {
    const [sin, cos] = [Math.sin((i * Math.PI) / 6), Math.cos((i * Math.PI) / 6)];
    return `M${(sin * 8).toFixed(1)} ${(cos * 8).toFixed(1)}L${(sin * 10).toFixed(1)} ${(cos * 10).toFixed(1)}`;
  });
  return `<circle r="10" fill="none"/>${line(`${ticks.join('')}M0 0L2 -7M0 0L5 1`)}`;
}

function gear() {
  const teeth = [...Array(8).keys()].map((i) => `<path d="M0 -5V-8" stroke-width="3" transform="rotate(${i * 45})"/>`);
  return `${teeth.join('')}<circle r="5.5" fill="#fff"/><circle r="2" fill="none"/>`;
}

const EVENTS = {
  'bpmn:MessageEventDefinition': (thrown) => (thrown ? filled('M-9 -6H9L0 0.5ZM-9 -4L0 2.5L9 -4V6H-9Z') : envelope(9, 6)),
  'bpmn:TimerEventDefinition': () => clock(),
  'bpmn:ErrorEventDefinition': (thrown) => shape('M-8 8L-3 -8L3 2L8 -8L3 8L-3 -1Z', thrown),
  'bpmn:CompensateEventDefinition': (thrown) => shape('M-10 0L-1 -6V6ZM-1 0L8 -6V6Z', thrown),
  'bpmn:LinkEventDefinition': (thrown) => shape('M-9 -3H2V-8L10 0L2 8V3H-9Z', thrown),
};

export function eventSymbol(definition, thrown, x, y) {
  const draw = EVENTS[definition.$type];
  if (!draw) throw new Error(`no sign for ${definition.$type} of ${definition.$parent.id}`);
  return at(x, y, draw(thrown));
}

const TASKS = { 'bpmn:ServiceTask': gear, 'bpmn:ReceiveTask': () => envelope(8, 5) };

export function taskSymbol(element, x, y) {
  const draw = TASKS[element.$type];
  if (!draw) throw new Error(`no sign for ${element.$type} ${element.id}`);
  return at(x, y, draw());
}

export const compensationMarker = (x, y) => at(x, y, line('M-9 0L-1 -5V5ZM-1 0L7 -5V5Z'));

export function gatewaySymbol(element, x, y) {
  if (element.$type === 'bpmn:ExclusiveGateway') {
    return at(x, y, '<path d="M-7 -7L7 7M-7 7L7 -7" stroke-width="3" fill="none"/>');
  }
  if (element.$type === 'bpmn:EventBasedGateway') {
    return at(x, y, `<circle r="13" fill="none"/><circle r="10" fill="none"/>${line('M0 -6.5L6.2 -2L3.8 5.3H-3.8L-6.2 -2Z')}`);
  }
  throw new Error(`no sign for ${element.$type} ${element.id}`);
}
