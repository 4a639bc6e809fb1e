import { afterAll } from '@jest/globals';

type Undo = () => void | Promise<void>;

const undos: Undo[] = [];

/**
 * Has `undo` run when the test file is over, last come first served. What a
 * test starts it hands in here at once, so that a failing test leaves nothing
 * running. Undoing what a test has ended itself must do no harm.
 */
export function atEnd(undo: Undo): void {
  undos.push(undo);
}

afterAll(async () => {
  while (undos.length > 0) await undos.pop()!();
});
