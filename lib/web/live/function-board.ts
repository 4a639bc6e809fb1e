import { randomBytes } from 'node:crypto';

/** So many functions are looked at, or told, together; others have their turn before the next ones. */
const SLICE = 250;

/** So many that are gone are remembered, for those who come back. */
const MAX_GONE = 10_000;

/** How long one event may be, in characters, but for its last row. */
const MAX_PIECE = 32_768;

/** A function as it is seen now. */
export interface SeenFunction<Key> {
  /** What it is told apart by from all others, also from one of the same name later. */
  readonly key: Key;
  /** Numbers in the order of the columns; null: not known. May change once the next one is seen. */
  readonly values: readonly (number | null)[];
}

/** A function's name, and the same in base64url where it is no UTF-8. */
export interface SeenName {
  readonly name: string;
  readonly name64?: string | undefined;
}

interface Row extends SeenName {
  readonly id: number;
  /** The looks in which it was first seen, last changed, last seen. */
  readonly bornAt: number;
  changedAt: number;
  seenAt: number;
  values: readonly (number | null)[];
  /** As JSON, once somebody was told. */
  json: string | undefined;
}

/**
 * The table of functions as it was seen last, and since when each row is as it
 * is: who has seen it at some time is told what has changed since, in however
 * many steps it changed.
 */
export class FunctionBoard<Key> {
  /** Other in each board: numbers of rows and looks mean nothing in another one. */
  readonly epoch = randomBytes(6).toString('base64url');
  /** How often all functions were looked at. */
  looks = 0;
  private readonly rows = new Map<Key, Row>();
  private gone: { readonly id: number; readonly at: number }[] = [];
  /** What went in this look and before is not known any more. */
  private forgotten = 0;
  private lastId = 0;

  /** @param nameOf asked once for each function. */
  constructor(private readonly nameOf: (key: Key) => SeenName) {}

  /** Looks at all functions, slice by slice. */
  *look(functions: Iterable<SeenFunction<Key>>): Generator<void, void> {
    const look = this.looks + 1;
    let looked = 0;
    for (const seen of functions) {
      this.see(seen, look);
      if (++looked % SLICE === 0) yield;
    }
    for (const [key, row] of this.rows) {
      if (row.seenAt !== look) {
        this.rows.delete(key);
        this.gone.push({ id: row.id, at: look });
      }
      if (++looked % SLICE === 0) yield;
    }
    if (this.gone.length > MAX_GONE * 2) {
      this.gone = this.gone.slice(-MAX_GONE);
      this.forgotten = this.gone[0]!.at;
    }
    this.looks = look;
  }

  /** Whether what has changed since a look can be told. */
  remembers(look: number): boolean {
    return look >= this.forgotten && look <= this.looks;
  }

  /**
   * What has changed since a look, as the members of JSON objects, slice by
   * slice. A function may be told again in the next change as it was in this one.
   *
   * @param since 0: everything.
   * @param isWanted whether a function is told, by its name.
   */
  *changes(since: number, isWanted: (name: string) => boolean): Generator<string, void> {
    let names: string[] = [];
    let rows: string[] = [];
    const gone = since === 0 ? [] : this.gone.filter(({ at }) => at > since).map(({ id }) => id);
    let length = gone.length * 8;
    let passed = 0;
    const piece = (): string => `"names":[${names.join()}],"rows":[${rows.join()}],"gone":[${gone.splice(0).join()}]`;
    for (const row of this.rows.values()) {
      if (++passed % SLICE === 0) {
        yield length >= MAX_PIECE ? piece() : '';
        if (length >= MAX_PIECE) [names, rows, length] = [[], [], 0];
      }
      if (row.changedAt <= since || !isWanted(row.name)) continue;
      if (row.bornAt > since) names.push(nameJson(row));
      rows.push((row.json ??= jsonOf(row)));
      length += rows.at(-1)!.length + (row.bornAt > since ? row.name.length + 12 : 0);
    }
    if (length > 0) yield piece();
  }

  private see({ key, values }: SeenFunction<Key>, look: number): void {
    const row = this.rows.get(key);
    if (!row) {
      const id = ++this.lastId;
      const times = { bornAt: look, changedAt: look, seenAt: look };
      this.rows.set(key, { ...this.nameOf(key), id, ...times, values: [...values], json: undefined });
      return;
    }
    row.seenAt = look;
    if (isSame(row.values, values)) return;
    row.changedAt = look;
    row.values = [...values];
    row.json = undefined;
  }
}

function isSame(some: readonly (number | null)[], others: readonly (number | null)[]): boolean {
  for (let index = 0; index < others.length; index++) if (some[index] !== others[index]) return false;
  return true;
}

function nameJson({ id, name, name64 }: Row): string {
  return JSON.stringify(name64 === undefined ? [id, name] : [id, name, name64]);
}

/** Zeros at the end are left out: most functions have nothing to do. */
function jsonOf({ id, values }: Row): string {
  let length = values.length;
  while (length > 0 && values[length - 1] === 0) length--;
  return JSON.stringify([id, ...values.slice(0, length)]);
}
