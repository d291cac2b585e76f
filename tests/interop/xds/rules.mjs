// The rules of protoc-gen-validate, as the published .proto files state them in (validate.rules) and (validate.required). Envoy refuses a
// message that breaks one. A rule that is not known here is an error: a rule that nobody looks at is none.
import { protobuf } from './published.mjs';
import { durationRules } from './rules-durations.mjs';
import { comparisons, membership } from './rules-compare.mjs';
import { stringRules } from './rules-strings.mjs';
import { join, nameOf } from './wire-walk.mjs';

const NUMBERS = ['double', 'float', 'int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'fixed32', 'fixed64', 'sfixed32', 'sfixed64'];
const numbers = { ...comparisons(Number), ...membership(Number) };
const longs = { ...comparisons(BigInt), ...membership(BigInt) };
/** What is no rule, but says how others of the field apply. */
const MODIFIERS = ['ignore_empty', 'strict'];
const number = (kind) => (kind.endsWith('64') ? longs : numbers);

/** What is known of each kind of rules: name of a rule to a function (value, limit, field) that says whether it holds. */
const known = {
  ...Object.fromEntries(NUMBERS.map((kind) => [kind, number(kind)])),
  bool: { const: (value, expected) => value === expected },
  string: stringRules,
  bytes: {
    len: (value, n) => value.length === n,
    min_len: (value, n) => value.length >= n,
    max_len: (value, n) => value.length <= n,
  },
  enum: { ...membership(Number), defined_only: (value, on, field) => !on || value in field.resolvedType.valuesById },
  any: { required: (value, on) => !on || value !== undefined, ...membership(String, (any) => any.type_url) },
  duration: { required: (value, on) => !on || value !== undefined, ...durationRules },
  message: { required: (value, on) => !on || value !== undefined, skip: () => true },
  repeated: {
    min_items: (value, n) => value.length >= n,
    max_items: (value, n) => value.length <= n,
    unique: (value, on) => !on || new Set(value.map(String)).size === value.length,
  },
  map: {
    min_pairs: (value, n) => Object.keys(value).length >= n,
    max_pairs: (value, n) => Object.keys(value).length <= n,
  },
};

/** The rules of a field: a list of [kind, rules], from one option or several. */
const rulesOf = (field) => (field.parsedOptions ?? []).flatMap((option) => Object.entries(option['(validate.rules)'] ?? {}));

/** What is unset is not looked at, other than for whether it may be: messages, fields of a oneof, optional ones. */
const isSet = (message, field) => Object.hasOwn(message, field.name) && message[field.name] !== null;
const hasPresence = (field) => field.partOf || field.resolvedType instanceof protobuf.Type;

/** Looks at messages, and counts how often each rule was applied. */
export class Rules {
  /** Name of a rule, such as string.min_len, to how often it was applied. */
  applied = new Map();

  /** Names of all rules that the types met so far have. */
  met = new Set();

  #types = new Map();

  /** Tells `fault(path, text)` each rule that a message or one nested in it breaks; an Any is not opened. */
  check(type, message, path, fault) {
    for (const problem of this.#unknown(type)) {
      fault(path, problem);
    }
    for (const oneof of type.oneofsArray.filter((o) => o.options?.['(validate.required)'])) {
      this.#count('oneof.required');
      if (!oneof.fieldsArray.some((field) => isSet(message, field))) {
        fault(join(path, oneof.name), 'breaks oneof.required: none of its fields is set');
      }
    }
    for (const field of type.fieldsArray) {
      this.#field(field, message, join(path, field.name), fault);
    }
  }

  #field(field, message, path, fault) {
    const rules = rulesOf(field);
    const set = isSet(message, field);
    if (field.repeated || field.map) {
      this.#apply(rules.filter(([kind]) => kind in known), message[field.name], field, path, fault);
      this.#each(rules, field, message, path, fault);
    } else if (set || !hasPresence(field)) {
      this.#one(rules, message[field.name], field, path, fault);
    } else {
      const required = rules.filter(([, rule]) => rule.required !== undefined).map(([kind, rule]) => [kind, { required: rule.required }]);
      if (!field.partOf) {
        this.#apply(required, undefined, field, path, fault);
      }
    }
  }

  #each(rules, field, message, path, fault) {
    const of = (kind, part) => rules.filter(([k]) => k === kind).flatMap(([, rule]) => Object.entries(rule[part] ?? {}));
    if (field.map) {
      for (const [key, value] of Object.entries(message[field.name])) {
        const at = `${path}[${JSON.stringify(key)}]`;
        this.#apply(of('map', 'keys'), key, { type: field.keyType }, at, fault);
        this.#one(of('map', 'values'), value, field, at, fault);
      }
    } else {
      message[field.name].forEach((item, i) => this.#one(of('repeated', 'items'), item, field, `${path}[${i}]`, fault));
    }
  }

  #one(rules, value, field, path, fault) {
    const type = field.resolvedType instanceof protobuf.Type ? field.resolvedType : null;
    const wrapped = type && /^\.google\.protobuf\.\w+Value$/.test(type.fullName) && type.fields.value;
    for (const [kind, rule] of rules) {
      const inner = wrapped && kind !== 'message';
      this.#apply([[kind, rule]], inner ? value.value : value, inner ? wrapped : field, path, fault);
    }
    if (type && !rules.some(([kind, rule]) => kind === 'message' && rule.skip)) {
      this.check(type, value, path, fault);
    }
  }

  #apply(rules, value, field, path, fault) {
    for (const [kind, rule] of rules) {
      if (rule.ignore_empty && (value === '' || Number(value) === 0 || value?.length === 0)) {
        continue;
      }
      for (const [name, limit] of Object.entries(rule)) {
        const holds = known[kind]?.[name];
        if (holds) {
          this.#count(`${kind}.${name}`);
          if (!holds(value, limit, field, rule)) {
            fault(path, `breaks ${kind}.${name} ${JSON.stringify(limit)}: ${describe(value)}`);
          }
        }
      }
    }
  }

  #count(name) {
    this.applied.set(name, (this.applied.get(name) ?? 0) + 1);
  }

  // Once for each type, whether its fields are set or not.
  #unknown(type) {
    if (!this.#types.has(type)) {
      const options = [type, ...type.oneofsArray, ...type.fieldsArray].flatMap((o) =>
        Object.entries(o.options ?? {}).map(([name]) => name.split(').')[0].replace(')', '') + ')'));
      const odd = options.filter((name) => name.startsWith('(validate.') && !['(validate.rules)', '(validate.required)'].includes(name));
      const fields = type.fieldsArray.flatMap((field) => rulesOf(field).flatMap(([kind, rule]) => this.#unknownOf(kind, rule, field)));
      if (type.oneofsArray.some((o) => o.options?.['(validate.required)'])) {
        this.met.add('oneof.required');
      }
      this.#types.set(type, [...odd, ...fields].map((what) => `the rule ${what} of ${nameOf(type)} is not known to this checker`));
      return this.#types.get(type);
    }
    return [];
  }

  #unknownOf(kind, rule, field, at = field.name) {
    if (!fits(kind, field)) {
      return [`${at}: ${kind}`];
    }
    return Object.entries(rule).flatMap(([name, limit]) => {
      const parts = { repeated: ['items'], map: ['keys', 'values'] }[kind] ?? [];
      if (parts.includes(name)) {
        const of = { items: { ...field, repeated: false }, keys: { type: field.keyType }, values: { ...field, map: false } }[name];
        return Object.entries(limit).flatMap(([k, r]) => this.#unknownOf(k, r, of, `${at}.${name}`));
      }
      if (MODIFIERS.includes(name)) {
        return [];
      }
      this.met.add(`${kind}.${name}`);
      return known[kind][name] ? [] : [`${at}: ${kind}.${name}`];
    });
  }
}

// Rules are of the kind of their field, or of what a wrapper holds.
function fits(kind, field) {
  const type = field.resolvedType instanceof protobuf.Type ? field.resolvedType.fullName : null;
  switch (kind) {
    case 'repeated': return Boolean(field.repeated);
    case 'map': return Boolean(field.map);
    case 'message': return type !== null;
    case 'enum': return field.resolvedType instanceof protobuf.Enum;
    case 'any': return type === '.google.protobuf.Any';
    case 'duration': return type === '.google.protobuf.Duration';
    default: return kind in known && (type ? new RegExp(`^\\.google\\.protobuf\\.${kind}Value$`, 'i').test(type) : field.type === kind);
  }
}

function describe(value) {
  const text = value === undefined ? 'not set' : JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
