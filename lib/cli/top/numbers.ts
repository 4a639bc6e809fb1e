/** A count in at most six characters: `98765`, `123k`, `1.2M`. */
export function shownCount(count: number | undefined): string {
  if (count === undefined) return '';
  if (count < 100_000) return String(count);
  const [divisor, unit] = count < 1e6 ? [1e3, 'k'] : count < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  const value = count / divisor;
  return `${value < 10 ? value.toFixed(1) : Math.floor(value)}${unit}`;
}

/** A rate a second in at most six characters: `0`, `0.25`, `12.5`, `1234`. */
export function shownRate(rate: number | undefined): string {
  if (rate === undefined) return '';
  if (rate === 0) return '0';
  if (rate < 0.01) return '<0.01';
  if (rate < 10) return rate.toFixed(2);
  return rate < 100 ? rate.toFixed(1) : shownCount(Math.round(rate));
}

/** A duration in at most six characters and two units: `340ms`, `12s`, `5m03s`, `2h05m`, `12d`. */
export function shownAge(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '';
  if (milliseconds < 1_000) return `${Math.floor(milliseconds)}ms`;
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${twoDigits(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h${twoDigits(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(seconds / 86_400)}d`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
