import { afterAll, afterEach, beforeEach } from '@jest/globals';

type Undo = () => void | Promise<void>;

const undosOfFile: Undo[] = [];
let undos = undosOfFile;

/**
 * Has `undo` run when the test file is over, last come first served. What a
 * test starts it hands in here at once, so that a failing test leaves nothing
 * running. Undoing what a test has ended itself must do no harm.
 */
export function atEnd(undo: Undo): void {
  undos.push(undo);
}

/** Has `undo` run when all tests are over: of what the first test that needs it makes, and the others use as well. */
export function atLast(undo: Undo): void {
  undosOfFile.push(undo);
}

/** From now on what a test starts is undone when that test is over, and does not wait for the end of the file. */
export function undoAfterEachTest(): void {
  const undosOfTest: Undo[] = [];
  beforeEach(() => void (undos = undosOfTest));
  afterEach(async () => {
    undos = undosOfFile;
    await undoAll(undosOfTest);
  });
}

afterAll(() => undoAll(undosOfFile));

async function undoAll(undos: Undo[]): Promise<void> {
  while (undos.length > 0) await undos.pop()!();
}
