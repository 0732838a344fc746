/**
 * Arithmetic without `eval`: a recursive descent parser over the characters of one expression.
 *
 *   sum     = product (("+" | "-") product)*
 *   product = unary (("*" | "/" | "%") unary)*
 *   unary   = ("+" | "-") unary | power
 *   power   = atom (("^" | "**") unary)?          so that 2^-1 is 0.5 and -2^2 is -4
 *   atom    = number | "(" sum ")" | constant | function "(" sum ("," sum)* ")"
 */

const longestExpression = 1_000;
const deepestNesting = 100;

const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

const functions: Readonly<Record<string, (...values: number[]) => number>> = {
  sqrt: (value = Number.NaN) => Math.sqrt(value),
  abs: (value = Number.NaN) => Math.abs(value),
  round: (value = Number.NaN) => Math.round(value),
  floor: (value = Number.NaN) => Math.floor(value),
  ceil: (value = Number.NaN) => Math.ceil(value),
  ln: (value = Number.NaN) => Math.log(value),
  log: (value = Number.NaN) => Math.log10(value),
  sin: (value = Number.NaN) => Math.sin(value),
  cos: (value = Number.NaN) => Math.cos(value),
  tan: (value = Number.NaN) => Math.tan(value),
  min: Math.min,
  max: Math.max,
};

/**
 * The value of an arithmetic expression.
 * @throws SyntaxError that says what was expected where; RangeError when there is no finite value.
 */
export function calculate(expression: string): number {
  if (expression.length > longestExpression) {
    throw new SyntaxError(`The expression is longer than ${longestExpression} characters.`);
  }
  const value = new Parser(normalised(expression)).parse();
  if (!Number.isFinite(value)) throw new RangeError("The expression has no finite value.");
  return value;
}

/** As a person would write it: without the last digits, which only binary fractions have. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(15)));
}

/** Signs that people type, as the parser's own. */
function normalised(expression: string): string {
  return expression
    .normalize("NFKC")
    .replaceAll(/[×✕]/g, "*")
    .replaceAll("÷", "/")
    .replaceAll(/[−–]/g, "-");
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): number {
    const value = this.#sum();
    if (this.#peek() !== "") throw this.#expected("the end");
    return value;
  }

  #sum(): number {
    this.#depth += 1;
    if (this.#depth > deepestNesting) throw new SyntaxError("The expression is nested too deeply.");
    let value = this.#product();
    for (;;) {
      if (this.#take("+")) value += this.#product();
      else if (this.#take("-")) value -= this.#product();
      else break;
    }
    this.#depth -= 1;
    return value;
  }

  #product(): number {
    let value = this.#unary();
    for (;;) {
      if (this.#take("*")) value *= this.#unary();
      else if (this.#take("/")) value /= this.#unary();
      else if (this.#take("%")) value %= this.#unary();
      else return value;
    }
  }

  #unary(): number {
    let sign = 1;
    for (;;) {
      if (this.#take("-")) sign = -sign;
      else if (!this.#take("+")) return sign * this.#power();
    }
  }

  #power(): number {
    const base = this.#atom();
    if (!this.#take("^") && !this.#take("**")) return base;
    this.#depth += 1;
    if (this.#depth > deepestNesting) throw new SyntaxError("The expression is nested too deeply.");
    const exponent = this.#unary();
    this.#depth -= 1;
    return base ** exponent;
  }

  #atom(): number {
    if (this.#take("(")) {
      const value = this.#sum();
      if (!this.#take(")")) throw this.#expected('")"');
      return value;
    }
    const number = this.#match(/(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy);
    if (number !== undefined) return Number(number.replaceAll(",", ""));
    const name = this.#match(/[a-z]+/iy)?.toLowerCase();
    if (name === undefined) throw this.#expected("a number");
    const constant = Object.hasOwn(constants, name) ? constants[name] : undefined;
    if (constant !== undefined) return constant;
    const operation = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (operation === undefined)
      throw new SyntaxError(`There is no function or constant "${name}".`);
    return operation(...this.#arguments());
  }

  #arguments(): number[] {
    if (!this.#take("(")) throw this.#expected('"("');
    const values = [this.#sum()];
    while (this.#take(",")) values.push(this.#sum());
    if (!this.#take(")")) throw this.#expected('")"');
    return values;
  }

  /** The next character that is no space; empty at the end. */
  #peek(): string {
    while (this.#text.charAt(this.#at).trim() === "" && this.#at < this.#text.length) this.#at += 1;
    return this.#text.charAt(this.#at);
  }

  #take(sign: string): boolean {
    this.#peek();
    if (!this.#text.startsWith(sign, this.#at)) return false;
    // "**" is one sign: its first half is no multiplication.
    if (sign === "*" && this.#text.charAt(this.#at + 1) === "*") return false;
    this.#at += sign.length;
    return true;
  }

  #match(sticky: RegExp): string | undefined {
    this.#peek();
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #expected(what: string): SyntaxError {
    const found = this.#peek();
    const where = found === "" ? "the expression ends" : `there is "${found}"`;
    return new SyntaxError(`Expected ${what}, but ${where} (character ${this.#at + 1}).`);
  }
}
