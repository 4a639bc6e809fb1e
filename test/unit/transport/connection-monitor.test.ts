import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import type { DriverEvents } from '../../../lib/driver/index.js';
import { ConnectionMonitor } from '../../../lib/transport/connection-monitor.js';

/** A monitor that watches `source`, with all it has reported, logged and passed on. */
function monitor() {
  const source = new EventEmitter<DriverEvents>();
  const reported: string[] = [];
  const logged: [level: string, message: string][] = [];
  const level = (name: string) => (message: string) => void logged.push([name, message]);
  const logger: LoggerService = {
    log: level('log'),
    error: level('error'),
    warn: level('warn'),
    debug: level('debug'),
  };
  const watcher = new ConnectionMonitor(logger, (status) => reported.push(status));
  return { source, reported, logged, watcher, unwatch: watcher.watch(source) };
}
const refused = new Error('connection refused');

describe('the status of several job servers', () => {
  it('is connected while one of them is', () => {
    const { source, reported } = monitor();
    source.emit('connect', 'a');
    source.emit('connect', 'b');
    source.emit('disconnect', 'a', refused);
    source.emit('reconnecting', 'a', refused, 100);
    expect(new Set(reported)).toEqual(new Set(['connected']));
    source.emit('disconnect', 'b', undefined);
    source.emit('reconnecting', 'b', refused, 100);
    source.emit('connect', 'a');
    expect(reported.slice(-3)).toEqual(['disconnected', 'reconnecting', 'connected']);
  });

  it('is disconnected when nobody watches any more', () => {
    const { source, reported, unwatch } = monitor();
    source.emit('connect', 'a');
    unwatch();
    source.emit('disconnect', 'a', undefined);
    expect(reported).toEqual(['connected', 'disconnected']);
  });
});

describe('what is logged', () => {
  it('is one warning for a job server that is away, however often it is tried', () => {
    const { source, logged } = monitor();
    source.emit('connect', 'a');
    source.emit('disconnect', 'a', refused);
    for (let attempt = 0; attempt < 3; attempt++) source.emit('reconnecting', 'a', refused, 99.7);
    source.emit('connect', 'a');
    expect(logged).toEqual([
      ['debug', 'Connected to the job server a'],
      ['warn', 'connection refused'],
      ...Array(3).fill(['debug', 'connection refused; next attempt in 100 ms']),
      ['log', 'Connected to the job server a'],
    ]);
  });

  it('is one warning for a job server that never was there', () => {
    const { source, logged } = monitor();
    for (let attempt = 0; attempt < 3; attempt++) source.emit('reconnecting', 'a', refused, 100);
    expect(logged.map(([level]) => level)).toEqual(['warn', 'debug', 'debug']);
  });

  it('is no warning where the application disconnects', () => {
    const { source, logged, unwatch } = monitor();
    source.emit('connect', 'a');
    unwatch();
    source.emit('disconnect', 'a', undefined);
    expect(logged.map(([level]) => level)).toEqual(['debug', 'debug']);
  });
});

describe('events', () => {
  it('are passed on, to listeners added before anything is watched too', () => {
    const { source, watcher } = monitor();
    const heard: unknown[] = [];
    watcher.on('connect', (server) => heard.push(['connect', server]));
    watcher.on('disconnect', (server, reason) => heard.push(['disconnect', server, reason]));
    watcher.on('reconnecting', (server, reason, delay) => heard.push(['reconnecting', server, reason, delay]));
    watcher.on('error', (error, server) => heard.push(['error', error, server]));
    source.emit('connect', 'a');
    source.emit('disconnect', 'a', refused);
    source.emit('reconnecting', 'a', refused, 100);
    source.emit('error', refused, 'a');
    expect(heard).toEqual([
      ['connect', 'a'],
      ['disconnect', 'a', refused],
      ['reconnecting', 'a', refused, 100],
      ['error', refused, 'a'],
    ]);
  });

  it('of errors need no listener', () => {
    const { source, logged } = monitor();
    source.emit('error', refused, 'a');
    expect(logged).toEqual([['error', 'Job server a: connection refused']]);
  });
});
