import { parseArgs } from 'node:util';
import { nearest, notAllowed } from '../../ground/index.js';
import { UsageFailure } from '../failure.js';
import { ValueProblem, type Option, type OptionTable, type OptionValues } from './option.js';

/** A command line after parsing. */
export interface ParsedLine<Table extends OptionTable> {
  values: OptionValues<Table>;
  /** The words that are no options, in order. */
  words: string[];
}

/**
 * Parses a command line by a table of options, in all forms that gearmand
 * accepts: `--port=1`, `--port 1`, `-p1`, `-p 1`, `-Rp1`.
 *
 * @throws UsageFailure for the first word that is not understood, with what is allowed.
 */
export function parseOptions<const Table extends OptionTable>(
  table: Table,
  line: readonly string[],
): ParsedLine<Table> {
  const values = emptyValues(table);
  const words: string[] = [];
  for (const token of tokensOf(table, line)) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (!option) throw unknownOption(table, token.rawName);
    setValue(values, option, token.name, token.rawName, token.value, token.inlineValue === true);
  }
  return { values: values as OptionValues<Table>, words };
}

type Values = Record<string, unknown>;

function emptyValues(table: OptionTable): Values {
  const empty = (option: Option): unknown => {
    switch (option.kind) {
      case 'switch':
        return false;
      case 'value':
        return option.isMany ? [] : undefined;
    }
  };
  return Object.fromEntries(Object.entries(table).map(([name, option]) => [name, empty(option)]));
}

function tokensOf(table: OptionTable, line: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { kind, short }]) => [
      name,
      { type: kind === 'value' ? ('string' as const) : ('boolean' as const), ...(short && { short }) },
    ]),
  );
  return parseArgs({ args: [...line], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function setValue(
  values: Values,
  option: Option,
  name: string,
  shownName: string,
  value: string | undefined,
  isInline: boolean,
): void {
  if (option.kind !== 'value') {
    if (isInline) throw new UsageFailure(`${shownName} takes no value: write ${shownName} alone`);
    values[name] = true;
    return;
  }
  if (value === undefined) {
    const help = shownName === '-h' ? '; --help shows the options' : '';
    throw new UsageFailure(`${shownName} needs a value: ${shownName} ${option.argument}${help}`);
  }
  const parsed = parseValue(option.parse, shownName, value);
  if (option.isMany) (values[name] as unknown[]).push(parsed);
  else if (values[name] === undefined) values[name] = parsed;
  else throw new UsageFailure(`${shownName} is given twice; leave one out`);
}

function parseValue(parse: (text: string) => unknown, shownName: string, value: string): unknown {
  try {
    return parse(value);
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    throw new UsageFailure(`${shownName}: ${notAllowed(value, error.allowed)}`);
  }
}

function unknownOption(table: OptionTable, shownName: string): UsageFailure {
  const names = Object.entries(table).filter(([, { help }]) => help !== '');
  const meant = nearest(
    shownName,
    names.map(([name]) => `--${name}`),
  );
  return new UsageFailure(`there is no option ${shownName}; ${meant ? `did you mean ${meant}?` : 'see --help'}`);
}
