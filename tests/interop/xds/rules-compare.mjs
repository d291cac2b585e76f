// Rules that compare with one value or several.
const list = (limit) => (Array.isArray(limit) ? limit : [limit]);

/** The ranges. A lower limit above the upper one would mean what is outside, which no published rule does. */
export const comparisons = (as) => {
  const straight = (rule) => {
    const [low, high] = [rule.gt ?? rule.gte, rule.lt ?? rule.lte];
    if (low !== undefined && high !== undefined && as(low) > as(high)) {
      throw new Error(`A range from ${JSON.stringify(low)} to ${JSON.stringify(high)} is not known to this checker`);
    }
  };
  const rule = (holds) => (value, limit, _, whole) => {
    straight(whole);
    return holds(as(value), as(limit));
  };
  return { gt: rule((a, b) => a > b), gte: rule((a, b) => a >= b), lt: rule((a, b) => a < b), lte: rule((a, b) => a <= b) };
};

/** The rules that name values. */
export const membership = (as, of = (value) => value) => ({
  const: (value, expected) => as(of(value)) === as(expected),
  in: (value, values) => list(values).some((v) => as(of(value)) === as(v)),
  not_in: (value, values) => list(values).every((v) => as(of(value)) !== as(v)),
});
