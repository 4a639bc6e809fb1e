import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Problem } from '../state/api.js';

interface DialogProps {
  readonly title: string;
  onClose(): void;
  readonly children: ComponentChildren;
}

/** A dialog that has to be answered, or closed with Escape. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the paint, so that keys that are pressed right after the one that opened it go into the dialog.
  useLayoutEffect(() => {
    box.current!.showModal();
    // The question is visible before it can be answered.
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
  /** The text of the button that confirms. */
  readonly yes: string;
  onSubmit(): void;
}

/** A dialog with fields, to be confirmed or cancelled. */
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
  /** The text of the button that confirms. */
  readonly yes: string;
  readonly isDestructive: boolean;
  act(): Promise<string>;
}

const question = signal<Question | undefined>(undefined);
const notice = signal<{ readonly text: string; readonly isBad: boolean } | undefined>(undefined);
let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Asks once, with how many of what, before something that cannot be undone. */
export function confirmFirst(asked: Omit<Question, 'isDestructive'> & { readonly isDestructive?: boolean }): void {
  question.value = { isDestructive: true, ...asked };
}

/** Does something, and shows its outcome. */
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

/** Shows progress; it stays until something else is shown. */
export function tellProgress(text: string): void {
  clearTimeout(noticeTimer);
  notice.value = { text, isBad: false };
}

/** Shows the current question, and the last message. */
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
