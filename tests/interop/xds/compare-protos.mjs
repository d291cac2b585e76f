// Compares .proto files with those that Envoy publishes (as packed in @grpc/grpc-js-xds): every message, field and enum value of
// the first must be in the second with the same name, number, type, label and oneof; every method with the same messages.
// Usage: node compare-protos.mjs FOLDER. Prints {"messages": 1, "fields": 2, "values": 3, "methods": 4, "differences": []}.
import path from 'node:path';
import process from 'node:process';
import { load, protobuf, protosOf, published } from './published.mjs';

const ours = path.resolve(process.argv[2]);
const files = protosOf(ours);

const differences = [];
const counted = { messages: 0, fields: 0, values: 0, methods: 0 };

function field(f) {
  const type = f.resolvedType ? f.resolvedType.fullName : f.type;
  const oneof = f.partOf?.name ?? '';
  return `${f.map ? `map<${f.keyType}, ${type}>` : `${f.repeated ? 'repeated ' : ''}${type}`} ${f.name} = ${f.id}${oneof && ` in oneof ${oneof}`}`;
}

function compareFields(message, other) {
  counted.messages += 1;
  for (const f of message.fieldsArray) {
    counted.fields += 1;
    const theirs = other.fields[f.name];
    if (!theirs) {
      differences.push(`${message.fullName}.${f.name} is not published`);
    } else if (field(f) !== field(theirs)) {
      differences.push(`${message.fullName}: ${field(f)}, published: ${field(theirs)}`);
    }
  }
}

function compareValues(enumeration, other) {
  for (const [name, value] of Object.entries(enumeration.values)) {
    counted.values += 1;
    if (other.values[name] !== value) {
      differences.push(`${enumeration.fullName}.${name} = ${value}, published: ${other.values[name]}`);
    }
  }
}

function compareMethods(service, other) {
  for (const m of service.methodsArray) {
    counted.methods += 1;
    const text = (x) => x && `${x.requestStream ? 'stream ' : ''}${x.resolvedRequestType.fullName} to ${x.responseStream ? 'stream ' : ''}${x.resolvedResponseType.fullName}`;
    if (text(m) !== text(other.methods[m.name])) {
      differences.push(`${service.fullName}.${m.name}: ${text(m)}, published: ${text(other.methods[m.name])}`);
    }
  }
}

function compare(object, theirs) {
  const kinds = [[protobuf.Type, compareFields], [protobuf.Enum, compareValues], [protobuf.Service, compareMethods]];
  for (const [kind, how] of kinds) {
    if (object instanceof kind) {
      const other = theirs.lookup(object.fullName, [kind]);
      if (other) {
        how(object, other);
      } else {
        differences.push(`${object.fullName} is not published`);
      }
    }
  }
  for (const nested of object.nestedArray ?? []) {
    if (!nested.fullName.startsWith('.google.protobuf')) {
      compare(nested, theirs);
    }
  }
}

compare(load([ours], files), load(published, files));
process.stdout.write(JSON.stringify({ ...counted, differences }) + '\n');
