import type { ComponentChildren } from 'preact';

interface FactsProps {
  readonly of: readonly (readonly [name: string, value: ComponentChildren])[];
  /** Whether they are inside a card and need no frame of their own. */
  readonly isPlain?: boolean;
}

/** What is known of one thing, as a line of names and values. */
export function Facts({ of, isPlain }: FactsProps) {
  return (
    <dl class={isPlain ? 'facts plain' : 'facts'}>
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
