// The .proto files that Envoy publishes, as packed in @grpc/grpc-js-xds.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
export const protobuf = require('protobufjs');

const deps = path.join(path.dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
const bundled = path.dirname(require.resolve('protobufjs/package.json'));

/** Folders with the published files. */
export const published = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((folder) => path.join(deps, folder));

/** Names of all .proto files of a folder, relative to it. */
export const protosOf = (folder) => fs.readdirSync(folder, { recursive: true }).map(String).filter((file) => file.endsWith('.proto'));

/** The named files and all that they import, each from the first of the folders that has it. */
export function load(folders, files) {
  const root = new protobuf.Root();
  root.resolvePath = (_, file) => [...folders, bundled].map((folder) => path.join(folder, file)).find((f) => fs.existsSync(f)) ?? file;
  root.loadSync(files, { keepCase: true });
  root.resolveAll();
  return root;
}

/** All of Envoy's v3 API that is published whole: a few files import others that the package does not have. */
export function loadPublished() {
  const files = protosOf(published[0]).filter((file) => file.includes('/v3/'));
  return load(published, files.filter((file) => isWhole(file)));
}

/** The message type of a name, null where there is none. */
export const findType = (root, name) => root.lookup(`.${name}`, [protobuf.Type]);

/** Path of a published file, undefined where there is none. */
export const find = (file) => [...published, bundled].map((folder) => path.join(folder, file)).find((f) => fs.existsSync(f));

const whole = new Map();

function isWhole(file) {
  if (!whole.has(file)) {
    whole.set(file, true); // Imports make no circles, but a file is asked for many times.
    const at = find(file);
    const imports = at ? [...fs.readFileSync(at, 'utf8').matchAll(/^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"/gm)].map((m) => m[1]) : [];
    whole.set(file, at ? imports.every(isWhole) : Boolean(protobuf.common.get(file)));
  }
  return whole.get(file);
}
