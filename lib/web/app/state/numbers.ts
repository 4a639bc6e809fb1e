const WHOLE = new Intl.NumberFormat('en');

/** `12,400`; a dash if the job server does not tell it. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : WHOLE.format(value);
}

/** `1 job`, `12,400 jobs`. */
export function many(value: number, one: string, more = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : more}`;
}

const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** `980`, `12K`, `1.2M`. */
export function about(value: number): string {
  return SHORT.format(value);
}

/** A rate a second: `0.3`, `12`, `12,400`; an empty text for 0. */
export function rate(value: number): string {
  if (value <= 0) return '';
  if (value < 9.95) return value < 0.05 ? '<0.1' : value.toFixed(1);
  return count(Math.round(value));
}

/** How long something takes: `350 ms`, `4.2 s`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function duration(ms: number): string {
  if (ms < 1) return ms > 0 ? '<1 ms' : '0 s';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${count(Math.floor(seconds / 86_400))} d`;
}

/** How long ago, in whole units: an age changes once a second, and fractions would flicker. */
export function age(ms: number): string {
  return ms < 1_000 ? '<1 s' : duration(ms < 10_000 ? Math.floor(ms / 1_000) * 1_000 : ms).replace('.0', '');
}

/** `512 B`, `1.2 kB`, `64 MB`. */
export function size(bytes: number | null): string {
  if (bytes === null) return '–';
  if (bytes < 1_000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** `18:01:40`. */
export function timeOfDay(at: Date): string {
  return at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
}
