import { base64url, readable, readableName } from '../state/readable.js';
import { linkTo } from '../state/route.js';

interface Named {
  readonly name: string;
  readonly name64?: string | undefined;
}

/** The page of a function; the name is no part of a path there, so any name will do. */
export function functionLink({ name, name64 }: Named): string {
  return linkTo('function', '', name64 === undefined ? { name } : { name64 });
}

/** What says to the API which function is meant, whatever bytes its name has. */
export function functionQuery({ name, name64 }: Named): { function64: string } {
  return { function64: name64 ?? base64url(name) };
}

/** The name of a function: on a line of its own kind, so that no text around it is turned. */
export function FunctionName({ name, name64 }: Named) {
  const label = readableName(name, name64);
  return (
    <a class="name" href={functionLink({ name, name64 })} title={label}>
      <bdi>{label}</bdi>
    </a>
  );
}

/** A text that a peer sent, safe to be looked at. */
export function Text({ of, class: className = '' }: { readonly of: string; readonly class?: string }) {
  const shown = readable(of);
  return (
    <bdi class={`text ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}
