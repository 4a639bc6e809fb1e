import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { isAlive, type Owner } from '../../../../job-server/storage/index.js';
import { Failure } from '../../../failure.js';
import { optionalPackage } from '../../optional-package.js';
import type { JournalMark } from './journal.js';
import { FieldReader } from './records.js';

/** The parts of the package `lmdb` that are used; its own types may not be installed where this package is compiled against. */
interface Lmdb {
  open(options: object): Root;
}

interface Root {
  /** Undefined if there is no such table. */
  openDB(name: string, options: object): Table | undefined;
  /** Keeps a snapshot for reading, also between turns of the event loop. */
  useReadTransaction(): ReadTransaction;
  close(): Promise<void>;
}

interface ReadTransaction {
  done(): void;
}

interface Table {
  get(key: Buffer, options: { readonly transaction: ReadTransaction }): Buffer | undefined;
  getRange(options: { readonly transaction: ReadTransaction }): Iterable<Row>;
}

/** A key and its value, as bytes. */
export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The newest format that existed. */
const FORMAT = 3;

/** The number in the header of LMDB's first page, in the machine's byte order. */
const MAGIC = 0xbeefc0de;
const MAGIC_WITHIN = 64;

/** All tables are opened before anything is read, because lmdb cannot do both at once. */
const NAMES = ['meta', 'owner', 'functions', 'jobs', 'packs', 'marks', 'dead', 'ended', 'settings'] as const;
type TableName = (typeof NAMES)[number];

/** The tables of a folder in which a job server kept jobs in LMDB, formats 1 to 3, for reading. */
export class Tables {
  /** Whether there may be records of format 1, which have no checksum. */
  readonly isOld: boolean;
  private readonly tables: ReadonlyMap<TableName, Table | undefined>;
  private readonly transaction: ReadTransaction;

  private constructor(
    readonly folder: string,
    private readonly root: Root,
  ) {
    this.tables = new Map(
      NAMES.map((name) => {
        // The values of this table begin with a version.
        const useVersions = name === 'owner';
        return [name, root.openDB(name, { encoding: 'binary', keyEncoding: 'binary', useVersions })];
      }),
    );
    this.transaction = root.useReadTransaction();
    this.isOld = this.numbers('unchecked') !== undefined || this.numbers('format')?.[0] === 1;
  }

  /** Rejects with a {@link Failure} for a folder that has no such tables, is in use, or has a newer format. */
  static async open(folder: string): Promise<Tables> {
    const file = join(folder, 'data.mdb');
    if (!existsSync(file)) {
      throw new Failure(`${folder} has no data.mdb: name the folder that the job server was given as --lmdb-path`);
    }
    // lmdb would end the process if it opened a file of another kind.
    if (!isOfLmdb(file)) throw new Failure(`${file} is none of a job server's, or damaged: name a backup's folder`);
    const { open } = await optionalPackage<Lmdb>('lmdb', 'reading the former form of a folder');
    const tables = new Tables(folder, open({ path: folder, noSubdir: false, maxDbs: 16, readOnly: true }));
    try {
      tables.check();
      return tables;
    } catch (error) {
      await tables.close();
      throw error;
    }
  }

  /** The rows of a table in the order of their keys. */
  rows(name: TableName): Iterable<Row> {
    return this.tables.get(name)?.getRange({ transaction: this.transaction }) ?? [];
  }

  get(name: TableName, key: Buffer): Buffer | undefined {
    return this.tables.get(name)?.get(key, { transaction: this.transaction });
  }

  /** Up to which journal record everything is in the tables. */
  get journalMark(): JournalMark | undefined {
    const [claim, number] = this.numbers('journal') ?? [];
    return claim === undefined || number === undefined ? undefined : { claim, number };
  }

  async close(): Promise<void> {
    this.transaction.done();
    await this.root.close();
  }

  private check(): void {
    const { folder } = this;
    const format = this.numbers('format')?.[0] ?? FORMAT;
    if (format > FORMAT) throw new Failure(`${folder} has format ${format}, which no version is known to write`);
    const owner = this.get('owner', Buffer.from('owner', 'latin1'))?.toString('latin1');
    const { pid } = ownerIn(owner) ?? {};
    if (pid !== undefined) throw new Failure(`process ${pid} has ${folder} open: stop that job server first`);
  }

  private numbers(name: string): number[] | undefined {
    const bytes = this.get('meta', Buffer.from(name, 'latin1'));
    if (!bytes) return undefined;
    const numbers: number[] = [];
    for (const fields = new FieldReader(bytes); !fields.isAtEnd;) numbers.push(fields.varint());
    return numbers;
  }
}

/** The process that has the folder open, if it is alive. */
function ownerIn(text = ''): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return isAlive(owner) ? owner : undefined;
  } catch {
    // Nobody has it open.
    return undefined;
  }
}

function isOfLmdb(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(MAGIC_WITHIN);
    readSync(file, header);
    const read = endianness() === 'LE' ? header.readUInt32LE : header.readUInt32BE;
    for (let at = 0; at < MAGIC_WITHIN; at += 4) if (read.call(header, at) === MAGIC) return true;
    return false;
  } finally {
    closeSync(file);
  }
}
