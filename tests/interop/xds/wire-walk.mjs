// Reads a message as it lies in bytes, field by field, and says what the published type does not have. Decoding would drop that in silence.
import { protobuf } from './published.mjs';

const { Reader, types } = protobuf;
const LENGTH_DELIMITED = 2;
const ANY = '.google.protobuf.Any';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Name of a type as type URLs have it. */
export const nameOf = (type) => type.fullName.replace(/^\./, '');

/**
 * Walks over the bytes of a message.
 * @param type Its published type.
 * @param bytes The message.
 * @param path Where it is, '' for the outermost.
 * @param see Gets `fault(path, text)`, `message(type)` for it and each nested one, and `any(path, typeUrl, bytes)` for each google.protobuf.Any.
 * @throws RangeError or Error where the bytes are no message.
 */
export function walk(type, bytes, path, see) {
  see.message(type);
  const reader = Reader.create(bytes);
  const seen = new Map();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = type.fieldsById[tag >>> 3];
    if (!field) {
      see.fault(path, `unknown field ${tag >>> 3} (wire type ${tag & 7}) in ${nameOf(type)}`);
      reader.skipType(tag & 7);
      continue;
    }
    if (field.options?.deprecated) {
      see.fault(join(path, field.name), 'is deprecated');
    }
    const index = seen.get(field) ?? 0;
    seen.set(field, index + 1);
    value(field, tag & 7, reader, field.repeated && !field.map ? `${join(path, field.name)}[${index}]` : join(path, field.name), see);
  }
}

/** Path of a field. */
export const join = (path, name) => (path ? `${path}.${name}` : name);

function value(field, wire, reader, path, see) {
  if (field.map) {
    return expect(LENGTH_DELIMITED, wire, reader, path, see) && entry(field, reader.bytes(), path, see);
  }
  if (field.resolvedType instanceof protobuf.Type) {
    return expect(LENGTH_DELIMITED, wire, reader, path, see) && nested(field.resolvedType, reader.bytes(), path, see);
  }
  const scalar = field.resolvedType instanceof protobuf.Enum ? 'int32' : field.type;
  if (field.repeated && wire === LENGTH_DELIMITED && types.packed[scalar] !== undefined) {
    for (const end = reader.uint32() + reader.pos; reader.pos < end;) {
      single(field, scalar, reader, path, see);
    }
    return true;
  }
  return expect(types.basic[scalar], wire, reader, path, see) && single(field, scalar, reader, path, see);
}

function nested(type, bytes, path, see) {
  walk(type, bytes, path, see);
  if (type.fullName === ANY) {
    const any = type.decode(bytes);
    see.any(path, any.type_url, Buffer.from(any.value)); // Unset it is a plain array.
  }
}

// An entry of a map is a message of a key (1) and a value (2).
function entry(field, bytes, path, see) {
  const key = { name: 'key', type: field.keyType };
  const type = { fullName: `${field.fullName} (entry)`, fieldsById: { 1: key, 2: { name: 'value', type: field.type, resolvedType: field.resolvedType } } };
  const reader = Reader.create(bytes);
  const text = reader.uint32() === 0x0a ? JSON.stringify(reader.string()) : '?';
  walk(type, bytes, '', {
    ...see,
    message: (t) => t !== type && see.message(t),
    fault: (inner, fault) => see.fault(`${path}[${text}]${inner.replace(/^(key|value)/, '')}`, fault),
    any: (inner, url, any) => see.any(`${path}[${text}]${inner.replace(/^value/, '')}`, url, any),
  });
}

function single(field, scalar, reader, path, see) {
  const read = scalar === 'string' ? reader.bytes() : reader[scalar]();
  if (scalar === 'string') {
    try {
      utf8.decode(read);
    } catch {
      see.fault(path, 'a string that is not UTF-8');
    }
  } else if (field.resolvedType && !(read in field.resolvedType.valuesById)) {
    see.fault(path, `${read} is no value of ${nameOf(field.resolvedType)}`);
  }
}

function expect(expected, wire, reader, path, see) {
  if (expected === wire) {
    return true;
  }
  see.fault(path, `wire type ${wire} instead of ${expected}`);
  reader.skipType(wire);
  return false;
}
