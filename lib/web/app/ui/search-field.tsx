import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder: string;
  /** How long after the last letter the search begins, in milliseconds. */
  readonly delay?: number;
  onChange(value: string): void;
}

/** A field that searches while the user types; `/` moves into it, Escape out of it. */
export function SearchField({ label, value, placeholder, delay = 80, onChange }: SearchFieldProps) {
  const text = useSignal(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (document.activeElement?.getAttribute('aria-label') !== label) text.value = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={placeholder}
      value={text.value}
      spellcheck={false}
      autocomplete="off"
      onInput={(event) => {
        text.value = event.currentTarget.value;
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onChange(text.peek()), delay);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return;
        clearTimeout(timer.current);
        onChange(text.peek());
        event.currentTarget.blur();
      }}
    />
  );
}
