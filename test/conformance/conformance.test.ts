import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PACKET_TABLE } from '../../lib/protocol/index.js';
import { describeWith } from '../support/peers.js';
import { DIFFERENCES } from './differences.js';
import { gearmandFor, oursFor } from './job-servers.js';
import { play } from './player.js';
import { expectedTranscript, parseScenes, type Scene, type ServerName } from './scene.js';

const SCENES = new URL('scenes/', import.meta.url);
const files = readdirSync(SCENES).map((file) => ({
  title: file.replace('.wire', ''),
  scenes: parseScenes(readFileSync(new URL(file, SCENES), 'utf8')),
}));
const semantics = readFileSync(new URL('../../docs/SEMANTICS.md', import.meta.url), 'utf8');
const allSteps = files.flatMap(({ scenes }) => scenes.flatMap(({ steps }) => steps));

/** Plays each scene and compares what was heard with what the scene says. */
function itPlays(server: ServerName, start: typeof oursFor, isPlayed: (scene: Scene) => boolean = () => true): void {
  for (const { title, scenes } of files) {
    const played = scenes.filter(isPlayed);
    if (played.length === 0) continue;
    describe(title, () => {
      it.each(played.map((scene) => [scene.title, scene] as const))('%s', async (_title, scene) => {
        const stage = await start(scene);
        try {
          expect(await play(scene, stage, server)).toBe(expectedTranscript(scene, server));
        } finally {
          await stage.stop();
        }
      });
    });
  }
}

describeWith('gearmand', 'gearmand says what the scenes say', () => {
  itPlays('gearmand', gearmandFor, ({ isOnlyOurs }) => !isOnlyOurs);
});

describe('our job server says the same', () => {
  itPlays('ours', oursFor);
});

describe('the differences', () => {
  const shown = new Set(allSteps.flatMap(({ difference }) => difference ?? []));

  it('are each named where the servers differ, and nowhere else', () => {
    for (const { answers, difference, peer, body } of allSteps) {
      const differs = answers.some(({ server }) => server !== undefined);
      expect([peer, body, difference !== undefined]).toEqual([peer, body, differs]);
    }
  });

  it('are each explained, and each shown by a scene', () => {
    expect([...shown].sort()).toEqual(Object.keys(DIFFERENCES).sort());
  });

  it('are all listed in docs/SEMANTICS.md', () => {
    expect(Object.keys(DIFFERENCES).filter((id) => !semantics.includes(`- \`${id}\`: `))).toEqual([]);
  });
});

describe('docs/SEMANTICS.md', () => {
  it('has every packet', () => {
    expect(PACKET_TABLE.filter(({ name }) => !semantics.includes(shortOf(name))).map(({ name }) => name)).toEqual([]);
  });

  it('names only scenes there are', () => {
    const titles = new Set(files.flatMap(({ scenes }) => scenes.map(({ title }) => title)));
    const named = [...semantics.matchAll(/“(.*?)”/gs)].map(([, title]) => title!.replace(/\s+/g, ' '));
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((title) => !titles.has(title))).toEqual([]);
  });
});

/** SUBMIT_JOB_HIGH_BG stands there as `SUBMIT_JOB_BG, _HIGH_BG`. */
function shortOf(name: string): string {
  return name.replace(/^SUBMIT_JOB(_HIGH|_LOW)/, '$1').replace('SUBMIT_REDUCE_JOB_', '_');
}
