// The picture of the process, and what is marked in it. It is drawn by scripts/bpmn-pictures: each element is a
// group with its id as `data-element-id`, an `outline` and a `label`; colours are the page's own, by classes.

import { byId } from './dom.js';

/** Smaller than this share of its drawn size, the picture's text cannot be read. */
const READABLE = 0.9;

/** The picture of the process. */
export class Diagram {
  #box = byId('diagram');
  #picture = null;
  #groups = new Map();
  #place;
  #whole = false;

  /** Fetches the picture and shows it. */
  async load(path) {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(`${path}: answered ${answer.status}`);
    const parsed = new DOMParser().parseFromString(await answer.text(), 'image/svg+xml').documentElement;
    if (parsed.nodeName !== 'svg') throw new Error(`${path} is no picture`);
    this.#picture = document.importNode(parsed, true);
    // What it says is said beside it in words; its title would be a tooltip over everything.
    this.#picture.setAttribute('aria-hidden', 'true');
    this.#picture.querySelector(':scope > title')?.remove();
    for (const group of this.#picture.querySelectorAll('[data-element-id]')) {
      this.#groups.set(group.dataset.elementId, group);
    }
    this.#box.replaceChildren(this.#picture);
    this.#size();
    new ResizeObserver(() => this.#size()).observe(this.#box);
    const zoom = byId('zoom');
    zoom.addEventListener('click', () => {
      this.#whole = !this.#whole;
      zoom.setAttribute('aria-pressed', String(this.#whole));
      this.#size();
      this.#follow();
    });
  }

  /** What the picture calls an element, else its id as words. */
  nameOf(id) {
    const lines = [...(this.#groups.get(id)?.querySelectorAll('.label tspan') ?? [])];
    return lines.map((line) => line.textContent.trim()).join(' ')
      || id.replace(/[_-]+/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  }

  /** Whether an element holds others, so that standing in it says little. */
  holdsOthers(id) {
    return this.#groups.get(id)?.matches('.sub-process') ?? false;
  }

  /** Marks where an instance stands, what it has passed and where it failed; null marks nothing. */
  mark(instance) {
    if (!this.#picture) return;
    const here = new Set((instance?.waitingAt ?? []).map((element) => element.elementId));
    const failed = new Set((instance?.incidents ?? []).map((incident) => incident.elementId));
    const passed = new Set([...(instance?.completed ?? []), ...(instance?.endEvents ?? [])]);
    for (const [id, group] of this.#groups) {
      const { from, to } = group.dataset;
      const taken = from && passed.has(from) && (passed.has(to) || here.has(to));
      group.classList.toggle('passed', passed.has(id) || Boolean(taken));
      group.classList.toggle('failed', failed.has(id));
      halo(group, group.classList.toggle('here', here.has(id)) && !this.holdsOthers(id));
    }
    const place = [...here].find((id) => !this.holdsOthers(id)) ?? instance?.endEvents?.at(-1);
    if (place !== this.#place) {
      this.#place = place;
      this.#follow();
    }
  }

  #size() {
    const { width, height } = this.#picture.viewBox.baseVal;
    const fit = Math.min(1.2, this.#box.clientWidth / width);
    this.#box.classList.toggle('whole', this.#whole);
    const scale = this.#whole ? fit : Math.max(fit, READABLE);
    this.#picture.setAttribute('width', Math.floor(width * scale));
    this.#picture.setAttribute('height', Math.floor(height * scale));
    byId('zoom').hidden = fit >= READABLE;
  }

  #follow() {
    const group = this.#groups.get(this.#place);
    if (!group) return;
    const [target, frame] = [group.getBoundingClientRect(), this.#box.getBoundingClientRect()];
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#box.scrollTo({
      left: this.#box.scrollLeft + target.left - frame.left - (frame.width - target.width) / 2,
      top: this.#box.scrollTop + target.top - frame.top - (frame.height - target.height) / 2,
      behavior: calm ? 'auto' : 'smooth',
    });
  }
}

/** Puts a ring around the place where the process stands, or takes it away. */
function halo(group, wanted) {
  const ring = group.querySelector('.halo');
  if (wanted === Boolean(ring)) return;
  if (ring) {
    ring.remove();
    return;
  }
  const outline = group.querySelector('.outline').cloneNode(false);
  outline.setAttribute('class', 'halo');
  group.prepend(outline);
}
