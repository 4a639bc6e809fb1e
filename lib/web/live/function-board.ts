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

/** A function as it is seen now, or is no more. */
export type SeenChange<Key> = SeenFunction<Key> | { readonly key: Key; readonly values: undefined };

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
  /** Its neighbours in the order of the last change. */
  previous: Row | undefined;
  next: Row | undefined;
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
  /** The row that changed last: from it on, what changed of late is found without the others. */
  private last: Row | undefined;
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
      if (row.seenAt !== look) this.forget(key, row, look);
      if (++looked % SLICE === 0) yield;
    }
    this.looked(look);
  }

  /** Looks at what may have changed since the last look, slice by slice: all others are as they were. */
  *follow(changes: Iterable<SeenChange<Key>>): Generator<void, void> {
    const look = this.looks + 1;
    let looked = 0;
    for (const seen of changes) {
      const row = seen.values ? undefined : this.rows.get(seen.key);
      if (seen.values) this.see(seen, look);
      else if (row) this.forget(seen.key, row, look);
      if (++looked % SLICE === 0) yield;
    }
    this.looked(look);
  }

  private forget(key: Key, row: Row, look: number): void {
    this.rows.delete(key);
    this.unlink(row);
    this.gone.push({ id: row.id, at: look });
  }

  private looked(look: number): void {
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
   * In `names` and `rows` a number is that of the function whose name or row
   * comes next, and those after it have the next numbers.
   *
   * @param since 0: everything.
   * @param isWanted whether a function is told, by its name.
   */
  *changes(since: number, isWanted: (name: string) => boolean): Generator<string, void> {
    const names = new Numbered();
    const rows = new Numbered();
    const gone = since === 0 ? [] : this.goneSince(since);
    let length = gone.length * 8;
    let passed = 0;
    const piece = (): string => `"names":[${names.take()}],"rows":[${rows.take()}],"gone":[${gone.splice(0).join()}]`;
    for (const row of this.changedSince(since)) {
      if (++passed % SLICE === 0) {
        yield length >= MAX_PIECE ? piece() : '';
        if (length >= MAX_PIECE) length = 0;
      }
      if (!isWanted(row.name)) continue;
      if (row.bornAt > since) names.add(row.id, nameJson(row));
      row.json ??= jsonOf(row);
      rows.add(row.id, row.json);
      length += row.json.length + 4 + (row.bornAt > since ? row.name.length + 4 : 0);
    }
    if (length > 0) yield piece();
  }

  /** Found together, as rows move while slices of them are told; all of them by their numbers. */
  private changedSince(look: number): Row[] {
    if (look === 0) return [...this.rows.values()];
    const rows: Row[] = [];
    for (let row = this.last; row && row.changedAt > look; row = row.previous) rows.push(row);
    return rows.reverse();
  }

  private goneSince(look: number): number[] {
    let from = this.gone.length;
    while (from > 0 && this.gone[from - 1]!.at > look) from--;
    return this.gone.slice(from).map(({ id }) => id);
  }

  private see({ key, values }: SeenFunction<Key>, look: number): void {
    const row = this.rows.get(key);
    if (!row) {
      const id = ++this.lastId;
      const times = { bornAt: look, changedAt: look, seenAt: look };
      const place = { previous: undefined, next: undefined };
      const born: Row = { ...this.nameOf(key), id, ...times, ...place, values: [...values], json: undefined };
      this.rows.set(key, born);
      this.link(born);
      return;
    }
    row.seenAt = look;
    if (isSame(row.values, values)) return;
    row.changedAt = look;
    row.values = [...values];
    row.json = undefined;
    this.unlink(row);
    this.link(row);
  }

  /** A row changed last of all. */
  private link(row: Row): void {
    row.previous = this.last;
    if (this.last) this.last.next = row;
    this.last = row;
  }

  private unlink(row: Row): void {
    if (row.previous) row.previous.next = row.next;
    if (row.next) row.next.previous = row.previous;
    else this.last = row.previous;
    row.previous = row.next = undefined;
  }
}

function isSame(some: readonly (number | null)[], others: readonly (number | null)[]): boolean {
  for (let index = 0; index < others.length; index++) if (some[index] !== others[index]) return false;
  return true;
}

/** What is told of some functions, as a list in JSON: a number stands only before one that has not the next one. */
class Numbered {
  private parts: string[] = [];
  private next = 0;

  add(id: number, json: string): void {
    if (id !== this.next) this.parts.push(`${id}`);
    this.parts.push(json);
    this.next = id + 1;
  }

  /** @returns the list so far; another one begins. */
  take(): string {
    const list = this.parts.join();
    this.parts = [];
    this.next = 0;
    return list;
  }
}

function nameJson({ name, name64 }: Row): string {
  return JSON.stringify(name64 === undefined ? name : [name, name64]);
}

/** Zeros at the end are left out: most functions have nothing to do. */
function jsonOf({ values }: Row): string {
  let length = values.length;
  while (length > 0 && values[length - 1] === 0) length--;
  return JSON.stringify(values.slice(0, length));
}
