import { changes, dateThere } from '../state/feed.js';
import { age, duration, timeOfDay } from '../state/numbers.js';

/** A moment as how long ago or in how long; below the pointer the exact time. */
export function When({
  at,
  else: otherwise = '–',
}: {
  readonly at: string | undefined | null;
  readonly else?: string;
}) {
  // Read only to draw again, because ages grow.
  void changes.value;
  if (!at) return <span class="faint">{otherwise}</span>;
  const ago = dateThere() - Date.parse(at);
  return (
    <time dateTime={at} title={`${new Date(at).toLocaleString()} · ${at}`}>
      {ago >= 0 && ago < 1_000 ? 'just now' : ago >= 0 ? `${age(ago)} ago` : `in ${duration(-ago)}`}
    </time>
  );
}

/** A moment by the clock, with its date unless that is today. */
export function Moment({ at }: { readonly at: string }) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return (
    <time dateTime={at} title={`${date.toLocaleString()} · ${at}`}>
      {isToday ? timeOfDay(date) : `${date.toLocaleDateString()} ${timeOfDay(date)}`}
    </time>
  );
}

/** How long something has lasted so far. */
export function Age({ since }: { readonly since: string | undefined | null }) {
  void changes.value;
  if (!since) return null;
  return (
    <time dateTime={since} title={`since ${new Date(since).toLocaleString()} · ${since}`}>
      {age(Math.max(0, dateThere() - Date.parse(since)))}
    </time>
  );
}
