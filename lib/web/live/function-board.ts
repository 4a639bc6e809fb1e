import { randomBytes } from 'node:crypto';

/** How many functions are looked at, or sent, before others get a turn of the event loop. */
const SLICE = 250;

/** How many functions that are gone are remembered, for viewers who come back. */
const MAX_GONE = 10_000;

/** How long one event may be, in characters, without its last row. */
const MAX_PIECE = 32_768;

/** A function as it is now. */
export interface SeenFunction<Key> {
  /** Identifies the function, also among functions of the same name that come later. */
  readonly key: Key;
  /** Numbers in the order of the columns; null: not known. The array may change when the next function is read. */
  readonly values: readonly (number | null)[];
}

/** A function as it is now, or that it is gone. */
export type SeenChange<Key> = SeenFunction<Key> | { readonly key: Key; readonly values: undefined };

/** A function's name; if it is no UTF-8, also in base64url. */
export interface SeenName {
  readonly name: string;
  readonly name64?: string | undefined;
}

interface Row extends SeenName {
  readonly id: number;
  /** The looks in which it was first seen, last changed, and last seen. */
  readonly bornAt: number;
  changedAt: number;
  seenAt: number;
  /** Its neighbours in the list of rows, which is ordered by their last change. */
  previous: Row | undefined;
  next: Row | undefined;
  values: readonly (number | null)[];
  /** The row as JSON, after it was first sent. */
  json: string | undefined;
}

/**
 * The table of functions as it was last seen, and when each row changed last. A
 * viewer who has seen the table at some time is sent what has changed since then,
 * in however many steps it changed.
 */
export class FunctionBoard<Key> {
  /** Different for each board: numbers of rows and looks mean nothing in another board. */
  readonly epoch = randomBytes(6).toString('base64url');
  /** How often all functions were looked at. */
  looks = 0;
  private readonly rows = new Map<Key, Row>();
  /** The row that changed last. From it recent changes are found without looking at the other rows. */
  private last: Row | undefined;
  private gone: { readonly id: number; readonly at: number }[] = [];
  /** Rows that were gone in this look, or before, are not remembered any more. */
  private forgotten = 0;
  private lastId = 0;

  /** @param nameOf is called once for each function. */
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

  /** Looks, slice by slice, only at functions that may have changed since the last look. */
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

  /** Whether the changes since a look are still known. */
  remembers(look: number): boolean {
    return look >= this.forgotten && look <= this.looks;
  }

  /**
   * What has changed since a look, as the members of JSON objects, slice by
   * slice. A function of these changes may be in the next ones again, unchanged.
   * In `names` and `rows` a number is that of the function whose name or row
   * comes next, and those after it have the next numbers.
   *
   * @param since 0: everything.
   * @param isWanted whether a function is sent, by its name.
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

  /** The rows that changed, collected at once because rows move while slices are sent; all rows come in the order of their numbers. */
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

  /** Makes a row the one that changed last. */
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

/** Entries of some functions as a list in JSON; a number is written only before an entry that is not the next one. */
class Numbered {
  private parts: string[] = [];
  private next = 0;

  add(id: number, json: string): void {
    if (id !== this.next) this.parts.push(`${id}`);
    this.parts.push(json);
    this.next = id + 1;
  }

  /** @returns the list so far; a new one begins. */
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

/** The row's numbers without zeros at the end: most functions have nothing to do. */
function jsonOf({ values }: Row): string {
  let length = values.length;
  while (length > 0 && values[length - 1] === 0) length--;
  return JSON.stringify(values.slice(0, length));
}
