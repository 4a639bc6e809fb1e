import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Problem } from '../state/api.js';

interface DialogProps {
  readonly title: string;
  onClose(): void;
  readonly children: ComponentChildren;
}

/** Something that has to be answered, or closed by Escape. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the paint: who types on at once, as the key that opened it was pressed, types into it.
  useLayoutEffect(() => {
    box.current!.showModal();
    // What is asked about stands there before it can be agreed to.
    box.current!.querySelector<HTMLElement>('[autofocus],input,textarea')?.focus();
  }, []);
  return (
    <dialog
      ref={box}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === box.current && onClose()}
    >
      <header>
        <h2>{title}</h2>
        <button class="plain" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

interface FormDialogProps extends DialogProps {
  /** What the button says that does it. */
  readonly yes: string;
  onSubmit(): void;
}

/** Fields to be filled in, and then done or left. */
export function FormDialog({ title, yes, onClose, onSubmit, children }: FormDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {children}
        <footer>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" class="primary">
            {yes}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

interface Question {
  readonly title: string;
  readonly text: ComponentChildren;
  /** What the button says that does it. */
  readonly yes: string;
  readonly isDestructive: boolean;
  act(): Promise<string>;
}

const question = signal<Question | undefined>(undefined);
const notice = signal<{ readonly text: string; readonly isBad: boolean } | undefined>(undefined);
let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Asks once, saying how many and of what, before something is done that cannot be taken back. */
export function confirmFirst(asked: Omit<Question, 'isDestructive'> & { readonly isDestructive?: boolean }): void {
  question.value = { isDestructive: true, ...asked };
}

/** Does something, and tells how it went. */
export async function perform(act: () => Promise<string>): Promise<void> {
  try {
    tell(await act());
  } catch (error) {
    tell(error instanceof Problem ? error.message : String(error), true);
  }
}

export function tell(text: string, isBad = false): void {
  clearTimeout(noticeTimer);
  notice.value = { text, isBad };
  noticeTimer = setTimeout(() => (notice.value = undefined), isBad ? 20_000 : 10_000);
}

/** Tells how far something is; it stands there until something else is told. */
export function tellProgress(text: string): void {
  clearTimeout(noticeTimer);
  notice.value = { text, isBad: false };
}

/** The question that is asked now, and what was told last. */
export function Conversation() {
  const asked = question.value;
  const told = notice.value;
  const close = (): void => {
    question.value = undefined;
  };
  return (
    <>
      {asked && (
        <Dialog title={asked.title} onClose={close}>
          <div class="question">{asked.text}</div>
          <footer>
            <button onClick={close}>Leave it</button>
            <button
              autofocus
              class={asked.isDestructive ? 'danger' : 'primary'}
              onClick={() => {
                close();
                void perform(asked.act);
              }}
            >
              {asked.yes}
            </button>
          </footer>
        </Dialog>
      )}
      <div class="notices" role="status">
        {told && (
          <p class={told.isBad ? 'notice bad' : 'notice'}>
            {told.text}
            <button class="plain" aria-label="Close" onClick={() => (notice.value = undefined)}>
              ✕
            </button>
          </p>
        )}
      </div>
    </>
  );
}
