import { hostname } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { MAX_HANDLE_PREFIX_BYTES } from '../../../lib/job-server/engine/index.js';
import { JobTable } from '../../../lib/job-server/engine/job-table.js';
import { handlePrefix } from '../../../lib/job-server/handle-prefix.js';

const HOST = hostname().slice(0, MAX_HANDLE_PREFIX_BYTES - 2);

describe('a handle', () => {
  it('has the form of gearmand: H, the host, and digits only', () => {
    const table = new JobTable(handlePrefix());
    for (let count = 0; count < 1_000; count++) expect(table.nextHandle()).toMatch(new RegExp(`^H:${HOST}:\\d+$`));
  });

  it("begins with the operator's text instead", () => {
    expect(new JobTable(handlePrefix('XYZ')).nextHandle()).toMatch(/^XYZ:\d+$/);
    expect(new JobTable(handlePrefix('\u00e9')).nextHandle()).toMatch(/^\u00c3\u00a9:\d+$/);
  });

  it('has 63 bytes with the longest prefix and the largest counter, and no name of a host makes it longer', () => {
    const longest = (prefix: string): string => new JobTable(handlePrefix(prefix)).handleOf(Number.MAX_SAFE_INTEGER);
    expect(longest('p'.repeat(MAX_HANDLE_PREFIX_BYTES))).toMatch(/^p{32}:\d{14}9007199254740991$/);
    expect(longest(`H:${'h'.repeat(64)}`)).toMatch(/^H:h{30}:\d{30}$/);
  });

  it('repeats over no restarts, nor between job servers of a host that start at one time', () => {
    const runs = 1_000;
    const jobs = 120;
    const handles = new Set<string>();
    for (let run = 0; run < runs; run++) {
      const table = new JobTable(handlePrefix());
      for (let job = 0; job < jobs; job++) handles.add(table.nextHandle());
    }
    expect(handles.size).toBe(runs * jobs);
  });
});
