// Counts the rules in the text of the published files and those that loading them gave, which have to be as many: an option that a parser
// drops would be a rule that nobody checks.
import fs from 'node:fs';
import { protobuf } from './published.mjs';

const WITHOUT = /"(?:\\.|[^"\\\n])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** Rules by what counted them: {"stated": {"rules": 1, "required": 2}, "loaded": {...}, "files": 3}. */
export function countRules(root) {
  const loaded = { rules: 0, required: 0 };
  (function visit(object) {
    if (object instanceof protobuf.Type) {
      loaded.rules += object.fieldsArray.flatMap((f) => (f.parsedOptions ?? []).flatMap((o) => Object.keys(o['(validate.rules)'] ?? {}))).length;
      loaded.required += object.oneofsArray.filter((o) => o.options?.['(validate.required)'] === true).length;
    }
    (object.nestedArray ?? []).forEach(visit);
  })(root);
  const stated = { rules: 0, required: 0 };
  for (const file of root.files.filter((f) => fs.existsSync(f))) {
    const text = fs.readFileSync(file, 'utf8').replace(WITHOUT, (m) => (m.startsWith('"') ? '""' : ''));
    stated.rules += text.match(/\(validate\.rules\)/g)?.length ?? 0;
    stated.required += text.match(/\(validate\.required\)/g)?.length ?? 0;
  }
  return { stated, loaded, files: root.files.length };
}
