import { FIGURES } from './loads.mjs';

/** The middle one of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The head of the table. */
export const HEAD = ['| load | figure | gearmand | ours | ours is |', '| --- | --- | ---: | ---: | --- |'];

/** One row a figure: the medians of both job servers, and how much better or worse ours is. */
export function rowsOf({ title, figures }, results) {
  return figures.map((name, index) => {
    const figure = FIGURES[name];
    const [theirs, ours] = ['gearmand', 'ours'].map((server) => results[server]?.map((result) => result[name]));
    const cells = [index === 0 ? title : '', figure.title, write(figure, theirs), write(figure, ours)];
    return `| ${cells.join(' | ')} | ${theirs && ours ? compare(figure, median(theirs), median(ours)) : ''} |`;
  });
}

function write({ digits }, numbers) {
  if (!numbers) return '-';
  const format = (number) =>
    number.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return format(median(numbers));
}

function compare({ better }, theirs, ours) {
  const [more, less] = better === 'higher' ? [ours, theirs] : [theirs, ours];
  if (!(more > 0 && less > 0)) return '';
  const ratio = more / less;
  return ratio >= 1 ? `${ratio.toFixed(2)} x better` : `${(1 / ratio).toFixed(2)} x worse`;
}
