import { base64url, readable, readableName } from '../state/readable.js';
import { linkTo } from '../state/route.js';

interface Named {
  readonly name: string;
  readonly name64?: string | undefined;
}

/** The address of a function's page. The name is not in the path, so any name is possible. */
export function functionLink({ name, name64 }: Named): string {
  return linkTo('function', '', name64 === undefined ? { name } : { name64 });
}

/** Names the function to the API, whatever bytes are in its name. */
export function functionQuery({ name, name64 }: Named): { function64: string } {
  return { function64: name64 ?? base64url(name) };
}

/** The name of a function, isolated so that it does not change the direction of text around it. */
export function FunctionName({ name, name64 }: Named) {
  const label = readableName(name, name64);
  return (
    <a class="name" href={functionLink({ name, name64 })} title={label}>
      <bdi>{label}</bdi>
    </a>
  );
}

/** A peer's text, made safe to display. */
export function Text({ of, class: className = '' }: { readonly of: string; readonly class?: string }) {
  const shown = readable(of);
  return (
    <bdi class={`text ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}
