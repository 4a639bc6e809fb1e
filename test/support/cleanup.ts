import { afterAll, afterEach, beforeEach } from '@jest/globals';

type Undo = () => void | Promise<void>;

const undosOfFile: Undo[] = [];
let undos = undosOfFile;

/**
 * Runs `undo` when the test file is over; the last one that was added runs first. A
 * test adds it at once for everything it starts, so that a failing test leaves nothing
 * running. It must do no harm if the test has already ended the thing itself.
 */
export function atEnd(undo: Undo): void {
  undos.push(undo);
}

/** Runs `undo` when all tests are over: for what the first test that needs it makes, and the others use as well. */
export function atLast(undo: Undo): void {
  undosOfFile.push(undo);
}

/** From now on, what a test starts is undone when that test is over, and not only at the end of the file. */
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
