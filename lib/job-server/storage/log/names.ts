import type { HandleParts } from './record.js';
import { NumberList } from './number-list.js';

/** So many prefixes of handles are told from others: handles of many forms are looked for by their hashes. */
const MAX_PREFIXES = 1_024;

/** More digits than a number holds exactly belong to the prefix. */
const MAX_DIGITS = 15;

const ZERO = 48;
const NINE = 57;

/** Something that many items name: a function, or what handles begin with. */
export class Name {
  /** The last record that says what its number stands for. */
  record = -1;

  constructor(
    readonly id: number,
    readonly text: string,
  ) {}
}

/** Handles with one beginning, as far as they come in ascending order: H:host:1, H:host:2. */
export class HandlePrefix {
  /** The highest number that was put among the ordered ones. */
  last = -1;
  /** The handle's number that each run begins with. */
  readonly starts = new NumberList();
  /** The number of the item it begins at. */
  readonly numbers = new NumberList();

  constructor(readonly name: Name) {}

  /** Forgets runs before an item. */
  prune(first: number): void {
    let count = 0;
    while (count < this.numbers.length && this.numbers.at(count) < first) count++;
    this.starts.drop(count);
    this.numbers.drop(count);
  }
}

/** Short numbers for long names, the same in every segment of the log. */
export class Names {
  private readonly byText = new Map<string, Name>();
  private readonly byId: (Name | undefined)[] = [];
  private readonly prefixes = new Map<number, HandlePrefix>();
  private lastPrefix: HandlePrefix | undefined;

  name(text: string): Name {
    let name = this.byText.get(text);
    if (!name) {
      name = new Name(this.byId.length, text);
      this.byText.set(text, name);
      this.byId.push(name);
    }
    return name;
  }

  find(text: string): Name | undefined {
    return this.byText.get(text);
  }

  byNumber(id: number): Name | undefined {
    return this.byId[id];
  }

  /** A segment says what a number stands for. */
  declared(id: number, text: string): Name {
    const known = this.byId[id];
    if (known) return known;
    const name = new Name(id, text);
    while (this.byId.length < id) this.byId.push(undefined);
    this.byId[id] = name;
    this.byText.set(text, name);
    return name;
  }

  prefix(id: number): HandlePrefix | undefined {
    let prefix = this.prefixes.get(id);
    const name = this.byId[id];
    if (!prefix && name) this.prefixes.set(id, (prefix = new HandlePrefix(name)));
    return prefix;
  }

  allPrefixes(): Iterable<HandlePrefix> {
    return this.prefixes.values();
  }

  /** A handle's parts; with `isNew` a prefix that was not seen before is taken up. */
  split(handle: string, isNew: boolean): HandleParts {
    let start = handle.length;
    while (start > 0 && handle.length - start < MAX_DIGITS && isDigit(handle.charCodeAt(start - 1))) start--;
    // A leading zero would not come back.
    while (start < handle.length - 1 && handle.charCodeAt(start) === ZERO) start++;
    if (start === handle.length) return { name: handle };
    const prefix = this.prefixOf(handle, start, isNew);
    if (!prefix) return { name: handle };
    let number = 0;
    for (let index = start; index < handle.length; index++) number = number * 10 + handle.charCodeAt(index) - ZERO;
    return { prefix: prefix.name.id, number };
  }

  handleOf(prefix: number, number: number): string {
    return `${this.byId[prefix]?.text ?? ''}${number}`;
  }

  private prefixOf(handle: string, start: number, isNew: boolean): HandlePrefix | undefined {
    const { lastPrefix } = this;
    if (lastPrefix?.name.text.length === start && handle.startsWith(lastPrefix.name.text)) return lastPrefix;
    const text = handle.slice(0, start);
    const known = this.byText.get(text);
    // After a restart all that is left of a prefix may be handles out of order, which did not take it up.
    const prefix = known && (isNew ? this.prefixes.get(known.id) : this.prefix(known.id));
    if (prefix || !isNew || this.prefixes.size >= MAX_PREFIXES) return prefix ? (this.lastPrefix = prefix) : undefined;
    return (this.lastPrefix = this.prefix(this.name(text).id));
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
