import { describe, expect, it } from '@jest/globals';
import { listed, toggle, valued } from '../../../lib/cli/options/option.js';
import { parseOptions } from '../../../lib/cli/options/parse-options.js';
import { port, text } from '../../../lib/cli/options/values.js';

const TABLE = {
  port: valued('Port.', port, { short: 'p', argument: 'PORT' }),
  name: valued('Name.', text, { argument: 'NAME' }),
  listen: listed('Addresses.', text, { short: 'L', argument: 'ADDRESS' }),
  quick: toggle('Be quick.', 'q'),
  secret: toggle(''),
};

const parse = (...line: string[]) => parseOptions(TABLE, line);

describe('a command line', () => {
  it.each([[['--port=4731']], [['--port', '4731']], [['-p4731']], [['-p', '4731']], [['-qp4731']], [['-qp', '4731']]])(
    'gives an option its value: %j',
    (line) => {
      expect(parse(...line).values.port).toBe(4731);
    },
  );

  it('leaves out what is not given', () => {
    const nothing = { port: undefined, name: undefined, listen: [], quick: false, secret: false };
    expect(parse()).toEqual({ values: nothing, words: [] });
  });

  it('collects, switches and counts', () => {
    const { values } = parse('-L', 'a', '--listen=b', '-q', '--secret');
    expect(values).toMatchObject({ listen: ['a', 'b'], quick: true, secret: true });
  });

  it('keeps words in order, and takes everything behind -- for words', () => {
    expect(parse('a', '-q', 'b', '--', '--port', 'c').words).toEqual(['a', 'b', '--port', 'c']);
  });

  it('takes a value that begins with a dash', () => {
    expect(parse('--name', '-x').values.name).toBe('-x');
  });

  it.each([
    [['--prt', '1'], 'there is no option --prt; did you mean --port?'],
    [['--lis=x'], 'there is no option --lis; did you mean --listen?'],
    [['--secrt'], 'there is no option --secrt; see --help'],
    [['--constructor'], 'there is no option --constructor; see --help'],
    [['-x'], 'there is no option -x; see --help'],
    [['--port'], '--port needs a value: --port PORT'],
    [['-p'], '-p needs a value: -p PORT'],
    [['--quick=yes'], '--quick takes no value: write --quick alone'],
    [['-p', '1', '--port=2'], '--port is given twice; leave one out'],
    [['-p', 'http'], "-p: must be a whole number from 0 to 65535, not 'http'"],
    [['--name='], "--name: must be a text, not empty, not ''"],
  ])('refuses %j', (line, message) => {
    expect(() => parse(...line)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });
});
