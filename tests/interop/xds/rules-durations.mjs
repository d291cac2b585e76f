// Rules of google.protobuf.Duration.
import { comparisons, membership } from './rules-compare.mjs';

const nanos = (duration) => BigInt(String(duration.seconds ?? 0)) * 1_000_000_000n + BigInt(duration.nanos ?? 0);

export const durationRules = { ...comparisons(nanos), ...membership(nanos) };
