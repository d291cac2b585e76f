// gRPC's own xDS client. Starts the backends asked for, prints their ports, then calls through an xds:/// target until
// standard input says "stop". Lines on standard output:
//   {"backends": {"a": 1234}}   once
//   {"seen": "a"}               at the first call, and whenever another backend answers than the time before
//   {"count": 10}               ten calls after a line "count" on standard input
//   {"calls": 10, "failed": [], "by": {"a": 10}}   last
import { createRequire } from 'node:module';
import process from 'node:process';
import readline from 'node:readline';

const require = createRequire(import.meta.url);
const grpc = require('@grpc/grpc-js');
const xds = require('@grpc/grpc-js-xds');
const [target, ...backends] = process.argv.slice(2);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

// One method, whose messages are plain text: what is tried here is how calls find their way.
const text = { serialize: (s) => Buffer.from(s), deserialize: (b) => b.toString() };
const definition = {
  whoAreYou: {
    path: '/kubelb.interop.Backend/WhoAreYou',
    requestStream: false,
    responseStream: false,
    requestSerialize: text.serialize,
    requestDeserialize: text.deserialize,
    responseSerialize: text.serialize,
    responseDeserialize: text.deserialize,
  },
};

const ports = {};
for (const name of backends) {
  const server = new grpc.Server();
  server.addService(definition, { whoAreYou: (call, callback) => callback(null, name) });
  ports[name] = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))));
}
say({ backends: ports });

xds.register();
const Client = grpc.makeGenericClientConstructor(definition, 'Backend');
const client = new Client(target, grpc.credentials.createInsecure());
const call = () => new Promise((resolve, reject) =>
  client.whoAreYou('you', new grpc.Metadata(), { deadline: Date.now() + 20_000 }, (error, name) => (error ? reject(error) : resolve(name))));

let stop = false;
let calls = 0;
let countAt = Infinity;
readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    stop ||= line === 'stop';
    countAt = line === 'count' ? calls + 10 : countAt;
  })
  .on('close', () => { stop = true; });

let last;
const failed = [];
const by = {};
while (!stop) {
  calls += 1;
  try {
    const name = await call();
    by[name] = (by[name] ?? 0) + 1;
    if (name !== last) {
      last = name;
      say({ seen: name });
    }
  } catch (error) {
    failed.push(`${error.code}: ${error.details}`);
  }
  if (calls >= countAt) {
    countAt = Infinity;
    say({ count: calls });
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
say({ calls, failed, by });
process.exit(0);
