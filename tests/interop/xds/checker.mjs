// Whether bytes are what Envoy's published protos say: no field that they do not have, the bytes that they would write, no rule broken.
import { findType, loadPublished } from './published.mjs';
import { Rules } from './rules.mjs';
import { join, nameOf, walk } from './wire-walk.mjs';

const PREFIX = 'type.googleapis.com/';

export class Checker {
  /** The published types. */
  root;

  /** Name of a message type to how many messages of it were looked at. */
  messages = new Map();

  rules = new Rules();

  constructor(root = loadPublished()) {
    this.root = root;
  }

  /** The published type of a name, null where there is none. */
  typeOf(name) {
    return findType(this.root, name);
  }

  /**
   * Looks at a message and at all that is nested in it, each google.protobuf.Any opened.
   * @returns What is wrong, as "path: text".
   */
  check(typeName, bytes) {
    const faults = [];
    const fault = (path, text) => faults.push(path ? `${path}: ${text}` : text);
    const pending = [{ typeName, bytes, path: '' }];
    for (let next = pending.shift(); next; next = pending.shift()) {
      this.#checkOne(next, pending, fault);
    }
    return faults;
  }

  #checkOne({ typeName, bytes, path }, pending, fault) {
    const type = this.typeOf(typeName);
    if (!type) {
      fault(path, `the type ${typeName} is not published`);
      return;
    }
    const any = (at, url, value) => this.#open(at, url, value, pending, fault);
    const message = (t) => this.messages.set(nameOf(t), (this.messages.get(nameOf(t)) ?? 0) + 1);
    try {
      const inside = (at) => [path, at].filter(Boolean).join('.');
      walk(type, bytes, '', { fault: (at, text) => fault(inside(at), text), any: (at, url, value) => any(inside(at), url, value), message });
      const decoded = type.decode(bytes);
      this.#compare(bytes, type.encode(decoded).finish(), path, fault);
      this.rules.check(type, decoded, path, fault);
    } catch (error) {
      fault(path, `not a message of ${typeName}: ${error.message}`);
    }
  }

  #open(path, url, value, pending, fault) {
    if (url.startsWith(PREFIX)) {
      const typeName = url.slice(PREFIX.length);
      pending.push({ typeName, bytes: value, path: `${path}[${typeName}]` });
    } else {
      fault(join(path, 'type_url'), `"${url}" does not begin with ${PREFIX}`);
    }
  }

  #compare(bytes, encoded, path, fault) {
    if (Buffer.compare(bytes, encoded) !== 0) {
      const at = encoded.findIndex((b, i) => b !== bytes[i]);
      fault(path, `is written in other bytes: ${bytes.length}, not ${encoded.length}, other from ${at < 0 ? encoded.length : at} on`);
    }
  }
}
