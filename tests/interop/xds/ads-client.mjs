// A client of the aggregated discovery service that knows nothing but Envoy's published protos: asks as an Envoy does, over mutual TLS, and
// holds all that it gets against them (checker.mjs). Ends when standard input says "stop". Lines on standard output:
//   {"held": {"cluster": 2, "endpoints": 1, "listener": 2}, "discovery": {"EDS": 2}, "addresses": 3, "response": "cluster", "faults": []}
//       for each response: what it has now, how its clusters find their endpoints, how many endpoints those have
//   {"error": "14 UNAVAILABLE: ..."}   when the stream ends by itself
//   {"responses": 5, "messages": {"envoy...": 1}, "rules": {"string.min_len": 1}, "met": [...], "faults": [...]}   last
// Usage: node ads-client.mjs ADDRESS NODE SERVER-NAME CA CERTIFICATE KEY sotw|delta
import fs from 'node:fs';
import process from 'node:process';
import readline from 'node:readline';
import { CLUSTER, connect, ENDPOINTS, Incremental, LISTENER, StateOfTheWorld } from './ads-streams.mjs';
import { Checker } from './checker.mjs';

const [address, node, serverName, ca, certificate, key, protocol] = process.argv.slice(2);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const kinds = { [CLUSTER]: 'cluster', [ENDPOINTS]: 'endpoints', [LISTENER]: 'listener' };

const checker = new Checker();
const faults = [];
const held = new Map(Object.keys(kinds).map((type) => [type, new Map()]));
let asked = [];
let responses = 0;

const typeOf = (url) => checker.typeOf(url.slice(url.indexOf('/') + 1));
const nameOf = (resource) => resource.name || resource.cluster_name;

function take(read) {
  const resources = held.get(read.type);
  const got = read.resources.map((any) => typeOf(any.type_url).decode(any.value));
  const wrong = [
    ...read.resources.filter((any) => any.type_url !== read.type).map((any) => `${any.type_url} in a response of ${read.type}`),
    ...(read.names ?? []).flatMap((name, i) => (name === nameOf(got[i]) ? [] : [`${name} is the name of ${nameOf(got[i])}`])),
  ];
  if (read.all) {
    resources.clear();
  }
  got.forEach((resource) => resources.set(nameOf(resource), resource));
  read.removed.forEach((name) => resources.delete(name));
  return wrong;
}

const isEds = (cluster) => cluster.type === cluster.$type.lookupEnum('DiscoveryType').values.EDS;
const discovery = (cluster) => cluster.$type.lookupEnum('DiscoveryType').valuesById[cluster.type];

// An Envoy asks for the endpoints that its clusters name.
function askForEndpoints() {
  const names = [...new Set([...held.get(CLUSTER).values()].filter(isEds).map((c) => c.eds_cluster_config.service_name || c.name))].sort();
  if (names.join() !== asked.join()) {
    asked = names;
    [...held.get(ENDPOINTS).keys()].filter((name) => !names.includes(name)).forEach((name) => held.get(ENDPOINTS).delete(name));
    stream.subscribe(ENDPOINTS, names);
  }
}

function state() {
  const clusters = [...held.get(CLUSTER).values()];
  const count = (values) => values.reduce((all, value) => ({ ...all, [value]: (all[value] ?? 0) + 1 }), {});
  const assignments = [...held.get(ENDPOINTS).values(), ...clusters.map((c) => c.load_assignment).filter(Boolean)];
  return {
    held: Object.fromEntries([...held].map(([type, resources]) => [kinds[type], resources.size])),
    discovery: count(clusters.map(discovery)),
    addresses: assignments.flatMap((a) => a.endpoints).flatMap((l) => l.lb_endpoints).length,
  };
}

const Protocol = { sotw: StateOfTheWorld, delta: Incremental }[protocol];
const [root, cert, secret] = [ca, certificate, key].map((file) => fs.readFileSync(file));
const stream = new Protocol(connect(address, serverName, { ca: root, key: secret, cert }), node);
stream.call.on('data', (bytes) => {
  responses += 1;
  const found = checker.check(Protocol.message, bytes);
  const read = stream.read(checker.typeOf(Protocol.message).decode(bytes));
  const wrong = [...found, ...(found.length > 0 ? [] : take(read))].map((fault) => `${kinds[read.type]}: ${fault}`);
  faults.push(...wrong);
  stream.answer(read, wrong.join('; '));
  if (read.type === CLUSTER) {
    askForEndpoints();
  }
  say({ ...state(), response: kinds[read.type], faults: wrong });
});
stream.call.on('error', (error) => {
  say({ error: `${error.code} ${error.details}` });
  process.exit(1);
});
stream.subscribe(CLUSTER);
stream.subscribe(LISTENER);

readline.createInterface({ input: process.stdin }).on('line', (line) => line === 'stop' && end()).on('close', end);

function end() {
  say({ responses, ...state(), messages: Object.fromEntries(checker.messages), rules: Object.fromEntries(checker.rules.applied), met: [...checker.rules.met], faults });
  process.exit(0);
}
