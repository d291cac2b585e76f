// A client of the aggregated discovery service that knows nothing but Envoy's published protos: asks as an Envoy does, and holds all that it
// gets against them (checker.mjs). Ends when standard input says "stop". Lines on standard output:
//   {"held": {"cluster": 2, "endpoints": 1, "listener": 2}, "discovery": {"EDS": 2}, "missing": 0, "addresses": 3, "response": "cluster", "faults": []}
//       for each response: what it has now, how its clusters find their endpoints, how many lists of these it has not got yet, how many
//       addresses there are, and what is wrong with the response, which it rejects then
//   {"error": "14 UNAVAILABLE: ..."}   when the stream ends by itself
//   {"responses": 5, "messages": {"envoy...": 1}, "rules": {"string.min_len": 1}, "met": [...], "faults": [...]}   last
// Usage: node ads-client.mjs ADDRESS NODE sotw|delta [SERVER-NAME CA-FILE CERTIFICATE-FILE KEY-FILE]; without files in plain text.
import fs from 'node:fs';
import process from 'node:process';
import readline from 'node:readline';
import { CLUSTER, connect, ENDPOINTS, Incremental, LISTENER, StateOfTheWorld } from './ads-streams.mjs';
import { Checker } from './checker.mjs';
import { Held, kinds } from './held.mjs';

const [address, node, protocol, serverName, ...files] = process.argv.slice(2);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const [ca, cert, key] = files.map((file) => fs.readFileSync(file));
const Protocol = { sotw: StateOfTheWorld, delta: Incremental }[protocol];

const checker = new Checker();
const held = new Held((any) => checker.typeOf(any.type_url.slice(any.type_url.indexOf('/') + 1)).decode(any.value));
const stream = new Protocol(connect(address, serverName, ca && { ca, cert, key }), node);
const faults = [];
let responses = 0;
let asked = [];
let listening = false;

stream.call.on('data', (bytes) => {
  responses += 1;
  const found = checker.check(Protocol.message, bytes);
  const read = stream.read(checker.typeOf(Protocol.message).decode(bytes));
  const wrong = [...found, ...(found.length > 0 ? [] : held.take(read))].map((fault) => `${kinds[read.type]}: ${fault}`);
  faults.push(...wrong);
  stream.answer(read, wrong.join('; '));
  askForMore();
  say({ ...held.describe(), response: kinds[read.type], faults: wrong });
});
stream.call.on('error', (error) => {
  say({ error: `${error.code} ${error.details}` });
  process.exit(1);
});
stream.subscribe(CLUSTER);

// An Envoy asks for the endpoints that its clusters name, and for listeners when it has those.
function askForMore() {
  if (held.wanted.join() !== asked.join()) {
    asked = held.wanted;
    held.forgetEndpoints();
    stream.subscribe(ENDPOINTS, asked);
  }
  if (!listening && held.missing === 0) {
    listening = true;
    stream.subscribe(LISTENER);
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => line === 'stop' && end()).on('close', end);

function end() {
  say({ responses, ...held.describe(), messages: Object.fromEntries(checker.messages), rules: Object.fromEntries(checker.rules.applied), met: [...checker.rules.met], faults });
  process.exit(0);
}
