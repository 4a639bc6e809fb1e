import { duplexPair } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { startGearmand } from './gearmand.js';
import { describeWith } from './peers.js';
import { CLOSED, RawPeer } from './raw-peer.js';
import { packetBytes, readPacket } from './wire.js';

describe('the notation', () => {
  it('is the bytes PROTOCOL describes', () => {
    expect(packetBytes('CAN_DO reverse').toString('latin1')).toBe('\0REQ\0\0\0\x01\0\0\0\x07reverse');
    expect(packetBytes('SUBMIT_JOB reverse··test').toString('latin1')).toBe('\0REQ\0\0\0\x07\0\0\0\x0dreverse\0\0test');
    expect(packetBytes('STATUS_RES_UNIQUE u·0·0·0·0·0', 'RES').subarray(4, 8)).toEqual(Buffer.from([0, 0, 0, 42]));
  });

  it.each(['NOOP', 'JOB_ASSIGN H:lap:1·reverse·test', 'REQ ECHO_REQ x', '#43 abc', 'WORK_DATA h·'])(
    'reads %s',
    (text) => {
      expect(readPacket(packetBytes(text, 'RES'))?.notation).toBe(text);
    },
  );

  it('refuses what has no bytes', () => {
    expect(() => packetBytes('NO_SUCH_PACKET')).toThrow('no packet is called NO_SUCH_PACKET');
    expect(() => packetBytes('ECHO_REQ ☃')).toThrow('one character is one byte');
  });
});

describe('RawPeer', () => {
  it('takes packets and lines from any Duplex, however they are cut', async () => {
    const [one, other] = duplexPair();
    const peer = new RawPeer(one);
    const server = new RawPeer(other, 'RES');
    for (const byte of packetBytes('NOOP', 'RES')) other.write(Buffer.of(byte));
    server.sendText('OK\r\n');
    server.end();
    expect(await peer.nextOnes(3)).toEqual(['NOOP', 'OK\r\n', CLOSED]);
    peer.send('CAN_DO f');
    expect(await server.next()).toBe('CAN_DO f');
  });

  it('fails when nothing comes in time', async () => {
    const peer = new RawPeer(duplexPair()[0]);
    await expect(peer.next(1)).rejects.toThrow('waited 1 ms in vain');
  });

  it('fails on other bytes than expected', async () => {
    const [one, other] = duplexPair();
    other.write('abc');
    await expect(new RawPeer(one).expectBytes(Buffer.from('abd'))).rejects.toThrow('expected 616264, got 616263');
  });
});

describeWith('gearmand', 'RawPeer with a real job server', () => {
  it('sees that nothing comes, and what comes', async () => {
    const gearmand = await startGearmand();
    const peer = await RawPeer.connect(gearmand);
    peer.send('CAN_DO reverse');
    expect(await peer.untilEcho()).toEqual([]);
    peer.send('GRAB_JOB');
    expect(await peer.untilEcho()).toEqual(['NO_JOB']);
    peer.sendText('status\n');
    expect(await peer.list()).toEqual(['reverse\t0\t0\t1\n', '.\n']);
  });
});
