/** Sends an ECHO_REQ every millisecond to the given port, and records how long the answers took. */
import { connect } from 'node:net';
import { now } from './probe.mjs';
import { packet, PACKET } from './peer.mjs';

/** Shorter times are ignored, in milliseconds. */
const LEAST = 3;
const ECHO = packet(PACKET.ECHO_REQ, '12345678');

const socket = connect(Number(process.argv[2]), '127.0.0.1').setNoDelay(true);
let sent = [];
let first = 0;
let unread = 0;
let waits = [];
let asked;
socket.on('data', (chunk) => {
  const at = now();
  for (unread += chunk.length; unread >= ECHO.length; unread -= ECHO.length) {
    const from = sent[first++];
    if (at - from >= LEAST) waits.push([from, at]);
  }
  if (first < 1_000) return;
  sent = sent.slice(first);
  first = 0;
});
socket.on('error', (error) => fail(`the connection of the ECHOs broke: ${error.message}`));
socket.on('end', () => fail('the connection of the ECHOs was closed'));
setInterval(() => {
  sent.push(now());
  socket.write(ECHO);
  // An answer that is still missing counts too; the report waits for it.
  if (asked && sent[first] > asked) {
    asked = undefined;
    process.send({ waits });
  }
}, 1);
process.on('message', (word) => {
  if (word === 'begin') waits = [];
  if (word === 'end') asked = now();
  else process.send({});
});
process.on('disconnect', () => process.exit());
socket.on('connect', () => process.send({}));

function fail(reason) {
  console.error(reason);
  process.exit(1);
}
