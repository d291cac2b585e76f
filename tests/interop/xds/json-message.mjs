// Reads a message from JSON, as Envoy reads its bootstrap, and says what the published type does not have.
// https://protobuf.dev/programming-guides/json/
import { findType, protobuf } from './published.mjs';
import { join, nameOf } from './wire-walk.mjs';

const { Long } = protobuf.util;
const LONGS = ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'];
const LIMITS = { int32: [-(2 ** 31), 2 ** 31 - 1], sint32: [-(2 ** 31), 2 ** 31 - 1], sfixed32: [-(2 ** 31), 2 ** 31 - 1], uint32: [0, 2 ** 32 - 1], fixed32: [0, 2 ** 32 - 1] };

/**
 * The message that JSON stands for.
 * @param root The published types.
 * @param type Type of the message.
 * @param fault Gets path and text of what cannot be read; the message is without it then.
 */
export function readJson(root, type, json, path, fault) {
  const special = wellKnown[nameOf(type)] ?? (/^google\.protobuf\.\w+Value$/.test(nameOf(type)) && type.fields.value ? wrapper : null);
  if (special) {
    return special({ root, type, json, path, fault });
  }
  if (!isObject(json)) {
    fault(path, `${JSON.stringify(json)} is no ${nameOf(type)}`);
    return type.create();
  }
  const message = type.create();
  const set = new Map();
  for (const [name, value] of Object.entries(json)) {
    const field = type.fieldsArray.find((f) => f.name === name || camel(f.name) === name);
    if (!field) {
      fault(join(path, name), `unknown field of ${nameOf(type)}`);
    } else if (value !== null) {
      if (field.partOf && set.has(field.partOf)) {
        fault(join(path, name), `set beside ${set.get(field.partOf)}, of which there may be one`);
      }
      set.set(field.partOf, name);
      message[field.name] = readField(root, field, value, join(path, name), fault);
    }
  }
  return message;
}

const isObject = (json) => typeof json === 'object' && json !== null && !Array.isArray(json);
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase());

function readField(root, field, json, path, fault) {
  if (field.map) {
    return Object.fromEntries(Object.entries(isObject(json) ? json : expected(json, 'an object', path, fault, {}))
      .map(([key, value]) => [key, readValue(root, field, value, `${path}[${JSON.stringify(key)}]`, fault)]));
  }
  if (field.repeated) {
    return (Array.isArray(json) ? json : expected(json, 'a list', path, fault, [])).map((value, i) => readValue(root, field, value, `${path}[${i}]`, fault));
  }
  return readValue(root, field, json, path, fault);
}

function readValue(root, field, json, path, fault) {
  if (field.resolvedType instanceof protobuf.Type) {
    return readJson(root, field.resolvedType, json, path, fault);
  }
  return field.resolvedType ? readEnum(field.resolvedType, json, path, fault) : readScalar(field.type, json, path, fault);
}

function readEnum(type, json, path, fault) {
  const value = typeof json === 'string' ? type.values[json] : json;
  return Number.isInteger(value) ? value : expected(json, `a value of ${nameOf(type)}`, path, fault, 0);
}

function readScalar(kind, json, path, fault) {
  const wrong = (fallback) => expected(json, `a ${kind}`, path, fault, fallback);
  switch (kind) {
    case 'string': return typeof json === 'string' ? json : wrong('');
    case 'bool': return typeof json === 'boolean' ? json : wrong(false);
    case 'bytes': return typeof json === 'string' ? Buffer.from(json, 'base64') : wrong(Buffer.alloc(0));
    default: return readNumber(kind, json, wrong);
  }
}

function readNumber(kind, json, wrong) {
  if (LONGS.includes(kind)) {
    const least = kind.startsWith('u') || kind === 'fixed64' ? 0n : -(2n ** 63n);
    const value = /^-?\d+$/.test(String(json)) ? BigInt(json) : null;
    return value !== null && value >= least && value < least + 2n ** 64n ? Long.fromString(String(value), least === 0n) : wrong(Long.ZERO);
  }
  const number = typeof json === 'string' && json.trim() !== '' ? Number(json) : json;
  const [least, most] = LIMITS[kind] ?? [-Infinity, Infinity];
  const fits = typeof number === 'number' && !Number.isNaN(number) && number >= least && number <= most && (!(kind in LIMITS) || Number.isInteger(number));
  return fits ? number : wrong(0);
}

function expected(json, what, path, fault, fallback) {
  fault(path, `${JSON.stringify(json)} is not ${what}`);
  return fallback;
}

const wrapper = ({ type, json, path, fault }) => type.create({ value: readScalar(type.fields.value.type, json, path, fault) });

/** Types with a form of their own. */
const wellKnown = {
  'google.protobuf.Duration': ({ type, json, path, fault }) => {
    const [, sign, seconds, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(json) ?? expected(json, 'a duration such as 1.5s', path, fault, ['', '', '0']);
    const factor = sign ? -1 : 1;
    return type.create({ seconds: Long.fromNumber(factor * Number(seconds)), nanos: factor * Number(fraction.padEnd(9, '0')) });
  },
  'google.protobuf.Any': ({ root, type, json, path, fault }) => {
    const url = isObject(json) ? json['@type'] : undefined;
    const name = String(url ?? '').replace('type.googleapis.com/', '');
    const inner = findType(root, name);
    if (!inner) {
      fault(path, `the type ${JSON.stringify(url)} is not published`);
      return type.create();
    }
    const { '@type': _, ...content } = json;
    const special = name in wellKnown ? content.value : content;
    return type.create({ type_url: url, value: inner.encode(readJson(root, inner, special, `${path}[${name}]`, fault)).finish() });
  },
  'google.protobuf.Struct': ({ root, type, json, path, fault }) => {
    const fields = isObject(json) ? json : expected(json, 'an object', path, fault, {});
    return type.create({
      fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, readJson(root, type.fields.fields.resolvedType, value, join(path, name), fault)])),
    });
  },
  'google.protobuf.ListValue': ({ root, type, json, path, fault }) =>
    type.create({ values: json.map((value, i) => readJson(root, type.fields.values.resolvedType, value, `${path}[${i}]`, fault)) }),
  'google.protobuf.Value': ({ root, type, json, path, fault }) => {
    const nested = (field) => type.create({ [field]: readJson(root, type.fields[field].resolvedType, json, path, fault) });
    switch (typeof json) {
      case 'string': return type.create({ string_value: json });
      case 'number': return type.create({ number_value: json });
      case 'boolean': return type.create({ bool_value: json });
      default: return json === null ? type.create({ null_value: 0 }) : nested(Array.isArray(json) ? 'list_value' : 'struct_value');
    }
  },
};
