// Breaks text into lines without knowing the font: widths are those of common sans-serif faces.
const NARROW = /[ ijlrtfI.,:;'|!()]/;
const WIDE = /[mwMWQOGCDHNU@%]/;
const SIZE = 12;
export const LINE_HEIGHT = 14;
// From the middle of a line down to where its letters stand.
const BASELINE = 4;

const widthOf = (text) =>
  [...text].reduce((sum, char) => sum + SIZE * (NARROW.test(char) ? 0.32 : WIDE.test(char) ? 0.8 : 0.56), 0);

export function lines(text, width) {
  const all = [];
  for (const word of text.split(/\s+/)) {
    const longer = all.length > 0 ? `${all.at(-1)} ${word}` : word;
    if (all.length > 0 && widthOf(longer) <= width) all[all.length - 1] = longer;
    else all.push(word);
  }
  return all;
}

export const escape = (text) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

// `y` is the middle of all lines together.
export function text(content, { x, y, width, anchor = 'middle', weight }) {
  const all = lines(content, width);
  const first = y + BASELINE - ((all.length - 1) * LINE_HEIGHT) / 2;
  const spans = all.map((line, i) => `<tspan x="${x}" y="${first + i * LINE_HEIGHT}">${escape(line)}</tspan>`);
  const bold = weight ? ` font-weight="${weight}"` : '';
  return `<text class="label" stroke="none" text-anchor="${anchor}"${bold}>${spans.join('')}</text>`;
}
