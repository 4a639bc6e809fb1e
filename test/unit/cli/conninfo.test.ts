import { describe, expect, it } from '@jest/globals';
import { conninfoUrl } from '../../../lib/cli/job-server/conninfo.js';

describe('a --libpq-conninfo', () => {
  it.each([
    ['host=db.lan dbname=queues user=gear password=secret', 'postgres://gear:secret@db.lan/queues'],
    [
      "host = 'db.lan'  port=5433 dbname='a b' user=gear password='it\\'s \\\\'",
      "postgres://gear:it's%20%5C@db.lan:5433/a%20b",
    ],
    [
      'hostaddr=127.0.0.1 host=ignored dbname=q user=u sslmode=require connect_timeout=3',
      'postgres://u@127.0.0.1/q?sslmode=require',
    ],
    ['host=/var/run/postgresql dbname=q user=u', 'postgres://u@localhost/q?host=%2Fvar%2Frun%2Fpostgresql'],
    ['host=::1 user=u', 'postgres://u@[::1]/u'],
    ['postgresql://u:p@h:1/q', 'postgresql://u:p@h:1/q'],
  ])('%s is the address %s', (conninfo, url) => {
    expect(decodeURI(conninfoUrl(conninfo).href)).toBe(decodeURI(url));
  });

  it.each([
    ['host=h port=x user=u', "port: must be a port, not 'x'"],
    ['host=h gssencmode=disable', 'gssencmode means nothing here'],
    ["host='h", 'is host=HOST port=PORT'],
    ['host', 'is host=HOST port=PORT'],
    ['postgres://h', "the queue's address is postgres://"],
  ])('%s is refused', (conninfo, message) => {
    expect(() => conninfoUrl(conninfo)).toThrow(message);
  });
});
