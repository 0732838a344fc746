import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calculate, formatNumber } from "../../src/shipped/tools/calculator.ts";

describe("computes", () => {
  test.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["10 - 4 - 3", 3],
    ["100 / 5 / 2", 10],
    ["7 % 4", 3],
    ["2 ^ 3 ^ 2", 512],
    ["2 ** 10", 1024],
    ["-2 ^ 2", -4],
    ["2 ^ -1", 0.5],
    ["--3", 3],
    ["1,234.5 + 1", 1235.5],
    [".5 + 1e3", 1000.5],
    ["6 × 7 ÷ 2 − 1", 20],
    ["６ + ７", 13],
    ["sqrt(2 * 8) + abs(-1)", 5],
    ["max(1, 2, 3) - min(4, 2)", 1],
    ["round(2 * pi)", 6],
  ])("%s", (expression, value) => {
    expect(calculate(expression)).toBe(value);
  });
});

describe("refuses", () => {
  test.each([
    ["", /Expected a number, but the expression ends/],
    ["1 +", /Expected a number, but the expression ends/],
    ["(1", /Expected "\)"/],
    ["1 2", /Expected the end, but there is "2" \(character 3\)/],
    ["foo(1)", /no function or constant "foo"/],
    ["constructor", /no function or constant/],
    ["process.exit()", /no function or constant/],
    ["1 / 0", /no finite value/],
    ["sqrt(-1)", /no finite value/],
    ["(".repeat(200), /nested too deeply/],
    ["1".repeat(2_000), /longer than/],
  ])("%s", (expression, message) => {
    expect(() => calculate(expression)).toThrow(message);
  });
});

test("agrees with JavaScript on sums of products", () => {
  const number = fc.integer({ min: 0, max: 999 }).map(String);
  const operator = fc.constantFrom("+", "-", "*");
  fc.assert(
    fc.property(number, fc.array(fc.tuple(operator, number), { maxLength: 8 }), (first, rest) => {
      const expression = [first, ...rest.flat()].join(" ");
      expect(calculate(expression)).toBe(new Function(`return ${expression}`)());
    }),
  );
});

test("numbers are written as people do", () => {
  expect(formatNumber(0.1 + 0.2)).toBe("0.3");
});
