import type { ComponentChildren } from 'preact';
import { Problem } from '../state/api.js';
import { connection } from '../state/feed.js';

/** Stands where a list will be, until it has arrived. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="blank loading" role="status">
      Loading {what}…
    </p>
  );
}

/** Says that there is nothing, and what would change that. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="blank empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Says that something could not be loaded, why, and what to do. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const isGreyed = error instanceof Problem && error.status === 501;
  return (
    <div class={`blank ${isGreyed ? 'empty' : 'failure'}`} role="alert">
      <h2>{titleOf(error)}</h2>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {onRetry && !isGreyed && <button onClick={onRetry}>Try again</button>}
    </div>
  );
}

/** Says that what is shown is not up to date, and why. Every page shows a lost connection above already. */
export function Stale({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  if (error === undefined || connection.value.state === 'lost') return null;
  return (
    <p class="stale bad" role="alert">
      <strong>Not up to date.</strong> {error instanceof Error ? error.message : String(error)}{' '}
      <button onClick={onRetry}>Try again</button>
    </p>
  );
}

function titleOf(error: unknown): string {
  if (!(error instanceof Problem)) return 'This page failed';
  if (error.status === 0) return 'No answer';
  if (error.status === 401) return 'Not logged in';
  if (error.status === 403) return 'Not allowed';
  if (error.status === 404) return 'Not there';
  if (error.status === 501) return 'This job server cannot tell';
  return 'That did not work';
}
