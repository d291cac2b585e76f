// Holds messages against Envoy's published protos. Each line of standard input is a message, as bytes or as JSON:
//   {"type": "envoy.config.cluster.v3.Cluster", "bytes": "BASE64"}
//   {"type": "envoy.config.bootstrap.v3.Bootstrap", "json": {"admin": {}}}
// With "proto", the text of a .proto file, the type is in there. For each, a line on standard output says what is wrong, which nested types there were, and which rules were applied:
//   {"faults": ["connect_timeout: breaks duration.gt {}: \"0s\""], "messages": {"envoy...": 1}, "rules": {"duration.gt": 1}}
// The line "rules" asks how many rules the published files state, and how many of them were understood as part of a field.
import process from 'node:process';
import readline from 'node:readline';
import { Checker } from './checker.mjs';
import { readJson } from './json-message.mjs';
import { loadPublished, protobuf } from './published.mjs';
import { countRules } from './rules-count.mjs';

const published = loadPublished();

function check({ type: typeName, bytes, json, proto }) {
  const root = proto ? protobuf.parse(proto, { keepCase: true }).root.resolveAll() : published;
  const checker = new Checker(root);
  const type = checker.typeOf(typeName);
  if (!type) {
    return { faults: [`the type ${typeName} is not published`], messages: {}, rules: {}, met: [] };
  }
  const faults = [];
  const fault = (path, text) => faults.push(path ? `${path}: ${text}` : text);
  const message = json === undefined ? Buffer.from(bytes, 'base64') : type.encode(readJson(root, type, json, '', fault)).finish();
  faults.push(...checker.check(typeName, message));
  return { faults, messages: Object.fromEntries(checker.messages), rules: Object.fromEntries(checker.rules.applied), met: [...checker.rules.met] };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(line === 'rules' ? countRules(published) : check(JSON.parse(line))) + '\n');
}
