/** A command line that says what no command takes. */
export class WrongUsage extends Error {}
