/** What whoever starts the process has told V8: it is theirs to say. */
export function isGivenByOperator(flag: RegExp): boolean {
  return flag.test([...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" "));
}
