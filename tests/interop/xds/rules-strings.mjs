// Rules of strings. https://github.com/bufbuild/protoc-gen-validate#strings
import { membership } from './rules-compare.mjs';

const bytes = (text) => Buffer.byteLength(text, 'utf8');
const characters = (text) => [...text].length;

const HEADERS = {
  HTTP_HEADER_NAME: /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/,
  HTTP_HEADER_VALUE: /^[^\u0000-\u0008\u000A-\u001F\u007F]*$/,
};
const LOOSE = /^[^\u0000\r\n]*$/;

function header(value, name, _, rule) {
  const pattern = rule.strict === false ? LOOSE : HEADERS[name];
  if (!(name in HEADERS)) {
    throw new Error(`The pattern ${name} is not known to this checker`);
  }
  return pattern.test(value);
}

export const stringRules = {
  ...membership(String),
  len: (value, n) => characters(value) === n,
  min_len: (value, n) => characters(value) >= n,
  max_len: (value, n) => characters(value) <= n,
  len_bytes: (value, n) => bytes(value) === n,
  min_bytes: (value, n) => bytes(value) >= n,
  max_bytes: (value, n) => bytes(value) <= n,
  pattern: (value, pattern) => new RegExp(pattern, 'u').test(value),
  prefix: (value, text) => value.startsWith(text),
  suffix: (value, text) => value.endsWith(text),
  contains: (value, text) => value.includes(text),
  not_contains: (value, text) => !value.includes(text),
  well_known_regex: header,
};
