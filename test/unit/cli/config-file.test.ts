import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readConfigFile } from '../../../lib/cli/job-server/config-file.js';
import { mergeValues, parseJobServerLine } from '../../../lib/cli/job-server/options.js';
import { tempDir } from '../../support/temp-dir.js';

const path = join(tempDir(), 'gearmand.conf');

function fileWith(content: string): string {
  writeFileSync(path, content);
  return path;
}

describe('a config file', () => {
  it('holds options as the command line does, over any number of lines', () => {
    const file = fileWith('--port=4731 -j 3\r\n\n--listen\n127.0.0.1 -R\t--exceptions\n');
    expect(readConfigFile(file)!.values).toMatchObject({
      port: 4731,
      'job-retries': 3,
      listen: ['127.0.0.1'],
      'round-robin': true,
      exceptions: true,
    });
  });

  it('may have comments', () => {
    const file = fileWith('# all of it\n--port=4731 # the port\n--job-handle-prefix=a#b\n');
    expect(readConfigFile(file)!.values).toMatchObject({ port: 4731, 'job-handle-prefix': 'a#b' });
  });

  it('gives way to the command line', () => {
    const file = parseJobServerLine(['--port=1', '-L', 'a', '-j', '3', '--exceptions', '--worker-wakeup=4']);
    const line = parseJobServerLine(['--port=2', '-L', 'b', '-w', '0']);
    expect(mergeValues(line, file)).toMatchObject({
      port: 2,
      listen: ['b'],
      'job-retries': 3,
      exceptions: true,
      'worker-wakeup': 0,
    });
  });

  it.each([
    ['port=4731', '"port=4731" is no option of the job server; options begin with --'],
    ['--prot=4731', 'there is no option --prot; did you mean --port?'],
  ])('with %s is refused by name', (content, message) => {
    const file = fileWith(content);
    expect(() => readConfigFile(file)).toThrow(`config file ${file}: ${message}`);
  });

  it('that is not there is refused, unless nobody asked for one', () => {
    expect(() => readConfigFile('/no/such/file')).toThrow('the config file cannot be read: ENOENT');
  });
});
